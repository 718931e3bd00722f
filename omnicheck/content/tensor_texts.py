"""The texts of tensor files: safetensors metadata, HDF5 names and attributes, strings of npy and npz."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import msgspec

Text = tuple[str, bytes]
MAX_HEADER = 100_000_000
MAX_STRINGS = 1 << 24
MAX_OBJECTS = 100_000
_MAGIC = b"\x93NUMPY"


def safetensors_texts(data: Any) -> Iterator[Text]:
    """Yield each entry of ``__metadata__`` and the tensors' names."""
    size = int.from_bytes(bytes(data[:8]), "little")
    if not 2 <= size <= min(MAX_HEADER, len(data) - 8):
        return
    try:
        header = msgspec.json.decode(bytes(data[8 : 8 + size]), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return
    metadata = header.pop("__metadata__", None)
    for key, value in metadata.items() if isinstance(metadata, dict) else ():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        # Key and value together: `api_key` tells what its value is.
        yield "`__metadata__`", f"{key}: {text}".encode("utf-8", "surrogatepass")
    yield "tensor names", "\n".join(header).encode("utf-8", "surrogatepass")


def npz_texts(data: Any) -> Iterator[Text]:
    """Yield names and strings of the arrays of an npz; arrays of numbers are not read, objects never."""
    try:
        archive = zipfile.ZipFile(_Slices(data))
    except (zipfile.BadZipFile, OSError, ValueError):
        return
    with archive:
        yield "array names", "\n".join(archive.namelist()[:MAX_OBJECTS]).encode("utf-8", "surrogatepass")
        for info in archive.infolist()[:MAX_OBJECTS]:
            try:
                with archive.open(info) as member:
                    head = member.read(1 << 12)
                    if _descr(head) is not None:
                        yield from npy_texts(head + member.read(MAX_STRINGS))
            except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError, ValueError):
                continue


def npy_texts(data: Any) -> Iterator[Text]:
    """Yield the strings of an array of strings."""
    found = _descr(bytes(data[: 1 << 16]))
    if found is None:
        return
    code, start = found
    raw = bytes(data[start : start + MAX_STRINGS])
    width = max(1, int(code[2:]))
    if code[1] == "U":
        text = raw[: len(raw) // 4 * 4].decode("utf-32-be" if code[0] == ">" else "utf-32-le", "replace")
        items = [text[i : i + width].rstrip("\0").encode("utf-8", "replace") for i in range(0, len(text), width)]
    else:
        items = [raw[i : i + width].rstrip(b"\0") for i in range(0, len(raw), width)]
    yield "strings of an array", b"\n".join(items)


def _descr(head: bytes) -> tuple[str, int] | None:
    """Return type code and offset of the data of an array of strings; None for any other."""
    if not head.startswith(_MAGIC) or len(head) < 12:
        return None
    wide = head[6] >= 2
    size = int.from_bytes(head[8 : 12 if wide else 10], "little")
    start = 12 if wide else 10
    try:
        header = ast.literal_eval(head[start : start + size].decode("latin-1").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    code = header.get("descr") if isinstance(header, dict) else None
    return (code, start + size) if isinstance(code, str) and re.fullmatch(r"[<>|=][SU][0-9]+", code) else None


def hdf5_texts(data: Any) -> Iterator[Text]:
    """Yield names, attributes and small string data of an HDF5 file; the numbers of its data are not read."""
    import h5py  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, only where a file is of this kind

    try:
        file = h5py.File(_Slices(data), "r")
    except (OSError, ValueError, RuntimeError, KeyError):
        return
    budget = [MAX_OBJECTS]
    with file:
        yield from _attributes(file, budget)
        names: list[str] = []
        stack = [file]
        while stack and budget[0] > 0:
            group = stack.pop()
            for name in _keys(group):
                budget[0] -= 1
                names.append(str(name))
                try:
                    # Links out of the file are not followed.
                    if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
                        link = group.get(name, getlink=True)
                        yield "external link", str(link.filename).encode("utf-8", "surrogateescape")
                        continue
                    item = group[name]
                except (KeyError, OSError, RuntimeError, ValueError):
                    continue
                yield from _attributes(item, budget)
                if isinstance(item, h5py.Group):
                    stack.append(item)
                elif h5py.check_string_dtype(item.dtype) and 0 < item.size <= 10_000:
                    yield "string data", _string(item[()])
                if budget[0] <= 0:
                    break
        yield "object names", "\n".join(names).encode("utf-8", "surrogateescape")


def _keys(group: Any) -> list[str]:
    try:
        return list(group.keys())[:MAX_OBJECTS]
    except (RuntimeError, OSError, ValueError):
        return []


def _attributes(item: Any, budget: list[int]) -> Iterator[Text]:
    try:
        keys = list(item.attrs.keys())
    except (RuntimeError, OSError, ValueError):
        return
    for key in keys:
        budget[0] -= 1
        try:
            value = item.attrs[key]
        except (KeyError, OSError, RuntimeError, ValueError, TypeError):
            continue
        if isinstance(value, str | bytes) or (getattr(value, "dtype", None) is not None and value.dtype.kind in "OSU"):
            yield "attribute", str(key).encode("utf-8", "surrogateescape") + b": " + _string(value)


def _string(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value[:MAX_STRINGS]
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")[:MAX_STRINGS]
    items = value.reshape(-1).tolist() if hasattr(value, "reshape") else [value]
    return b"\n".join(_string(item) for item in items if isinstance(item, str | bytes))[:MAX_STRINGS]


class _Slices(io.RawIOBase):
    """A file over anything that slices like bytes."""

    def __init__(self, data: Any) -> None:
        super().__init__()
        self._data, self._at = data, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, into: Any) -> int:
        view = memoryview(into).cast("B")
        piece = bytes(self._data[self._at : self._at + len(view)])
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
