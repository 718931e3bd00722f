"""Kinds of content and the groups they belong to, with the words people use for them."""

from __future__ import annotations

from collections.abc import Mapping

_KINDS: Mapping[str, Mapping[str, str]] = {
    "weights": {
        "safetensors": "a safetensors file",
        "gguf": "a GGUF file",
        "ggml": "a GGML file",
        "onnx": "an ONNX model",
        "torch_zip": "a PyTorch checkpoint",
        "torch_legacy": "a PyTorch checkpoint (legacy format)",
        "torch_script": "a TorchScript model",
        "tflite": "a TFLite model",
        "pte": "an ExecuTorch program",
        "hef": "a Hailo HEF model",
        "mlmodel": "a Core ML model",
        "mlpackage": "a Core ML package",
        "coreml_weights": "a Core ML weights file",
        "keras": "a Keras model",
        "keras_hdf5": "a Keras weights file (HDF5)",
        "saved_model": "a TensorFlow SavedModel",
        "tf_checkpoint": "a TensorFlow checkpoint",
        "orbax": "an Orbax checkpoint",
        "flax_msgpack": "a Flax checkpoint",
    },
    "pickle": {"pickle": "a pickle stream", "joblib": "a joblib dump (a pickle)"},
    "raw_data": {
        "hdf5": "HDF5 data",
        "rrd": "a Rerun recording",
        "tfrecord": "TFRecord data",
        "mp4": "MP4 video",
        "mov": "QuickTime video",
        "mkv": "Matroska or WebM video",
        "avi": "AVI video",
        "mpeg": "MPEG video",
        "flv": "Flash video",
        "wmv": "Windows Media",
        "wav": "WAV audio",
        "flac": "FLAC audio",
        "ogg": "Ogg audio",
        "mp3": "MP3 audio",
        "parquet": "Parquet data",
        "arrow": "Arrow data",
        "orc": "ORC data",
        "avro": "Avro data",
        "sqlite": "an SQLite database",
        "duckdb": "a DuckDB database",
        "rosbag": "a ROS bag",
        "mcap": "an MCAP recording",
        "matlab": "MATLAB data",
    },
    "array": {"npy": "a NumPy array", "npz": "an npz file of NumPy arrays"},
    "archive": {
        "zip": "a zip archive",
        "tar": "a tar archive",
        "gzip": "gzip data",
        "bzip2": "bzip2 data",
        "xz": "xz data",
        "lzma": "LZMA data",
        "zstd": "Zstandard data",
        "lz4": "LZ4 data",
        "zlib": "a zlib stream",
        "7z": "a 7z archive",
        "rar": "a RAR archive",
        "compress": "compress (.Z) data",
        "cab": "a cabinet archive",
        "ar": "an ar archive",
        "cpio": "a cpio archive",
        "squashfs": "a SquashFS image",
    },
    "image": {
        "png": "a PNG image",
        "jpeg": "a JPEG image",
        "gif": "a GIF image",
        "bmp": "a BMP image",
        "webp": "a WebP image",
        "tiff": "a TIFF image",
        "heif": "a HEIF image",
        "ico": "an icon",
        "svg": "an SVG image",
    },
    "document": {"pdf": "a PDF document", "office": "an office document"},
    "executable": {
        "elf": "an ELF program",
        "pe": "a Windows program",
        "macho": "a Mach-O program",
        "wasm": "a WebAssembly module",
        "pyc": "Python bytecode",
        "class": "a Java class",
    },
    "text": {
        "text": "text",
        "json": "JSON",
        "jsonl": "JSON lines",
        "csv": "a CSV table",
        "notebook": "a Jupyter notebook",
        "lfs_pointer": "a Git LFS pointer",
    },
    "empty": {"empty": "nothing (zero bytes)"},
    "unknown": {"unknown": "bytes of no known format", "unreadable": "a file that cannot be opened"},
}

_GROUP: Mapping[str, str] = {kind: group for group, kinds in _KINDS.items() for kind in kinds}
_WORDS: Mapping[str, str] = {kind: words for kinds in _KINDS.values() for kind, words in kinds.items()}

VIDEO = frozenset({"mp4", "mov", "mkv", "avi", "mpeg", "flv", "wmv"})
AUDIO = frozenset({"wav", "flac", "ogg", "mp3"})


def group_of(kind: str) -> str:
    """Return the group of a kind; ``unknown`` for one that is not known."""
    return _GROUP.get(kind, "unknown")


def words_for(kind: str) -> str:
    """Return what people call a kind, with its article: ``an ONNX model``."""
    return _WORDS.get(kind, kind)


def kinds_in(group: str) -> frozenset[str]:
    """Return the kinds of a group."""
    return frozenset(_KINDS.get(group, {}))
