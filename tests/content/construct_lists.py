"""Files that scanners in the field let through, and harmless ones that they alarm on, built by code."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import pickle
import struct
import zipfile
import zlib

import numpy as np

from tests.content.constructs import (
    arrow,
    bad_crc,
    duplicate_names,
    evil,
    flagged,
    gguf,
    hdf5,
    joblib_dump,
    jpeg,
    mkv,
    mov,
    mp4,
    nested,
    npy,
    npz,
    onnx,
    parquet,
    pdf,
    png,
    renamed_locally,
    safetensors,
    sevenzip,
    sqlite,
    tarred,
    tfrecord,
    torch_legacy,
    torch_zip,
    wav,
    zipped,
    zstd,
)

JUNK = b"JUNK" * 64
GADGETS = (b"importlib import_module", b"torch.hub load", b"site main", b"code interact", b"imp load_source")
GADGETS += (b"_posixsubprocess fork_exec", b"pathlib Path.write_text", b"statistics mean", b"asyncio.runners run")


def gadget(text: bytes) -> bytes:
    module, name = text.split()
    return b"c" + module + b"\n" + name + b"\n(Vtrue\ntR."


# What each construct is called, its file name, its bytes, the members under which it must be named, and a kind of them.
Construct = tuple[str, str, bytes, tuple[str, ...], str]


def bypasses() -> list[Construct]:
    core, text = evil(), evil(0)
    found: list[Construct] = [
        ("upper-case ending", "a.PKL", core, (), "pickle"),
        ("named as text", "a.txt", core, (), "pickle"),
        ("no ending", "a", core, (), "pickle"),
        ("named as safetensors", "a.safetensors", core, (), "pickle"),
        ("look-alike ending", "a.pkł", core, (), "pickle"),
        ("plain pickle as .pt", "a.pt", core, (), "pickle"),
        ("plain pickle as .bin", "a.bin", core, (), "pickle"),
        ("zip in zip", "a.zip", nested(2, core), ("in.zip", "a.pkl"), "pickle"),
        (
            "zip in tar.gz",
            "a.tar.gz",
            gzip.compress(tarred(("in.zip", zipped(("a.pkl", core))))),
            ("in.zip", "a.pkl"),
            "pickle",
        ),
        ("tar", "a.tar", tarred(("a.pkl", core)), ("a.pkl",), "pickle"),
        ("pkl.gz", "a.pkl.gz", gzip.compress(core), ("a.pkl",), "pickle"),
        ("pkl.xz", "a.pkl.xz", lzma.compress(core), ("a.pkl",), "pickle"),
        ("pkl.bz2", "a.pkl.bz2", bz2.compress(core), ("a.pkl",), "pickle"),
        ("pkl.zst", "a.pkl.zst", zstd(core), ("a.pkl",), "pickle"),
        ("pkl.zlib", "a.pkl.z", zlib.compress(core), ("a.pkl",), "pickle"),
        ("pkl.lzma", "a.pkl.lzma", lzma.compress(core, lzma.FORMAT_ALONE), ("a.pkl",), "pickle"),
        ("7z", "a.7z", sevenzip("a.pkl", core), ("a.pkl",), "pickle"),
        ("protocol 0 as data.bin", "a.zip", zipped(("data.bin", text)), ("data.bin",), "pickle"),
        ("protocol 0 as notes.txt", "a.zip", zipped(("notes.txt", text)), ("notes.txt",), "pickle"),
        ("six zips deep", "a.zip", nested(6, core), (*("in.zip",) * 5, "a.pkl"), "pickle"),
        ("flag 0x01", "a.pt", flagged(0x01), ("archive/data.pkl",), "pickle"),
        ("flag 0x20", "a.pt", flagged(0x20), ("archive/data.pkl",), "pickle"),
        ("flag 0x40", "a.pt", flagged(0x40), ("archive/data.pkl",), "pickle"),
        ("another local name", "a.pt", renamed_locally(), ("archive/data.pkl",), "pickle"),
        ("bad checksum", "a.pt", bad_crc(), ("archive/data.pkl",), "pickle"),
        (
            "corrupt first member",
            "a.pt",
            bad_crc("archive/aaa.txt", ("archive/data.pkl", core)),
            ("archive/data.pkl",),
            "pickle",
        ),
        ("bytes before the zip", "a.pt", JUNK + zipped(("a.pkl", core)), ("a.pkl",), "pickle"),
        ("70 kB after the zip", "a.zip", zipped(("a.pkl", core)) + bytes(70_000), ("a.pkl",), "pickle"),
        ("JPEG header before a zip", "a.jpg", jpeg()[:20] + zipped(("a.pkl", core)), ("a.pkl",), "pickle"),
        ("whole JPEG before a zip", "a.jpg", jpeg() + zipped(("a.pkl", core)), ("a.pkl",), "pickle"),
        ("duplicate names", "a.zip", duplicate_names(), ("a.pkl",), "pickle"),
        ("pickle, junk, pickle", "a.bin", pickle.dumps({}, 2) + JUNK + core, (), "pickle"),
        ("no STOP", "a.pkl", core[:-1], (), "pickle"),
        ("broken after the call", "a.pkl", core[:-1] + b"\xff\xfe\xfd", (), "pickle"),
        ("protocol 0 broken after the call", "a.txt", text[:-1] + b"\xff\xfe\xfd", (), "pickle"),
        (
            "GET before STACK_GLOBAL",
            "a.pkl",
            b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93\x8c\x04true\x85R.",
            (),
            "pickle",
        ),
        (
            "DUP before STACK_GLOBAL",
            "a.pkl",
            b"\x80\x04\x8c\x06system20\x8c\x06system\x93\x8c\x04true\x85R.",
            (),
            "pickle",
        ),
        ("INST", "a.pkl", b"(S'true'\nios\nsystem\n.", (), "pickle"),
        ("INST as joblib", "a.joblib", b"(S'true'\nios\nsystem\n.", (), "pickle"),
        ("OBJ", "a.pkl", b"(cos\nsystem\nS'true'\no.", (), "pickle"),
        ("OBJ then POP", "a.pkl", b"(cos\nsystem\nS'true'\no0N.", (), "pickle"),
        ("EXT1", "a.pkl", b"\x80\x02\x82\x01)R.", (), "pickle"),
        ("BUILD", "a.pkl", b"\x80\x02cnumpy\nsize\n}X\x03\x00\x00\x00abcK\x01sb.", (), "pickle"),
        ("object array", "a.npy", npy(np.array([{"a": 1}], dtype=object)), (), "pickle"),
        ("object array in npz", "a.npz", npz(a=np.array([{"a": 1}], dtype=object)), ("a.npy",), "pickle"),
        ("joblib", "a.joblib", joblib_dump(), (), "pickle"),
        ("appended to a text", "a.txt", b"hello world\n" * 40 + core, ("appended@480",), "pickle"),
        (
            "base64 in JSON",
            "a.json",
            json.dumps({"x": base64.b64encode(core * 8).decode()}).encode(),
            ("base64@7",),
            "pickle",
        ),
    ]
    found += [(f"protocol {p}", f"p{p}.txt", evil(p), (), "pickle") for p in range(6)]
    found += [
        (f"harmless value, protocol {p}", "v.txt", pickle.dumps({"a": [1, 2.5, None]}, p), (), "pickle")
        for p in range(6)
    ]
    found += [(f"gadget {each.decode()}", "a.pkl", gadget(each), (), "pickle") for each in GADGETS]
    return found


def hidden() -> list[Construct]:
    st, video, h5 = safetensors(), mp4(), hdf5()
    encoded = base64.b64encode(st).decode()

    def deep(name: str, data: bytes) -> bytes:
        return gzip.compress(tarred(("in.zip", zipped((name, data), method=zipfile.ZIP_DEFLATED))))

    return [
        ("mp4", "a.mp4", video, (), "mp4"),
        ("mp4 as text", "a.txt", video, (), "mp4"),
        ("mp4 in zip in tar.gz", "out.tar.gz", deep("notes.txt", video), ("in.zip", "notes.txt"), "mp4"),
        ("mov", "a.bin", mov(), (), "mov"),
        ("mkv as .json", "a.json", mkv(), (), "mkv"),
        ("wav as .csv", "a.csv", wav(), (), "wav"),
        ("safetensors", "a.safetensors", st, (), "safetensors"),
        ("safetensors as text", "a.txt", st, (), "safetensors"),
        ("safetensors in zip in tar.gz", "out.tar.gz", deep("notes.txt", st), ("in.zip", "notes.txt"), "safetensors"),
        ("safetensors in base64", "a.json", json.dumps({"blob": encoded}).encode(), ("base64@10",), "safetensors"),
        ("safetensors in wrapped base64", "a.txt", b"data:\n" + base64.encodebytes(st), ("base64@6",), "safetensors"),
        ("safetensors as json.gz", "a.json.gz", gzip.compress(st), ("a.json",), "safetensors"),
        ("first part of a split", "a.part00", st[: len(st) // 2], (), "safetensors"),
        ("appended to a PNG", "a.png", png() + st, (f"appended@{len(png())}",), "safetensors"),
        ("appended to a JPEG", "a.jpg", jpeg() + st, (f"appended@{len(jpeg())}",), "safetensors"),
        ("appended to a PDF", "a.pdf", pdf() + st, (f"appended@{len(pdf())}",), "safetensors"),
        (
            "appended to a zip",
            "a.zip",
            zipped(("a.txt", b"hello")) + st,
            (f"appended@{len(zipped(('a.txt', b'hello')))}",),
            "safetensors",
        ),
        (
            "appended to a gzip",
            "a.gz",
            gzip.compress(b"hello") + st,
            (f"appended@{len(gzip.compress(b'hello'))}",),
            "safetensors",
        ),
        ("appended to an npy", "a.npy", npy() + st, (f"appended@{len(npy())}",), "safetensors"),
        ("appended to a wav", "a.wav", wav() + st, (f"appended@{len(wav())}",), "safetensors"),
        ("h5", "a.h5", h5, (), "hdf5"),
        ("h5 as text", "a.txt", h5, (), "hdf5"),
        ("h5 behind a user block", "a.bin", bytes(512) + h5, (), "hdf5"),
        ("h5 in zip in tar.gz", "out.tar.gz", deep("notes.txt", h5), ("in.zip", "notes.txt"), "hdf5"),
        ("npz as .json", "a.json", npz(), (), "npz"),
        ("parquet as .csv", "a.csv", parquet(), (), "parquet"),
        ("parquet", "a.parquet", parquet(), (), "parquet"),
        ("arrow", "a.arrow", arrow(), (), "arrow"),
        ("gguf as .md", "a.md", gguf(), (), "gguf"),
        ("onnx as text", "a.txt", onnx(), (), "onnx"),
        ("sqlite", "a.db", sqlite(), (), "sqlite"),
        ("tfrecord as .log", "a.log", tfrecord(), (), "tfrecord"),
        ("tfrecord.gz", "a.tfrecord.gz", gzip.compress(tfrecord()), ("a.tfrecord",), "tfrecord"),
        ("rrd", "a.txt", b"RRF2\0\x17\0\0\1\0\0\0" + bytes(32), (), "rrd"),
        ("tflite", "a.bin", b"\x1c\0\0\0TFL3" + bytes(64), (), "tflite"),
        ("pte", "a.bin", b"\x1c\0\0\0ET12" + bytes(64), (), "pte"),
        ("hef", "a.bin", b"\x01HEF" + bytes(64), (), "hef"),
        ("orbax", "manifest.ocdbt", b"\x0c\xdb\x3a\x2a" + struct.pack("<Q", 76) + bytes(64), (), "orbax"),
        (
            "Core ML weights",
            "weight.bin",
            b"\1\0\0\0\2\0\0\0" + bytes(56) + b"\xef\xbe\xad\xde" + bytes(60),
            (),
            "coreml_weights",
        ),
        ("mlpackage in a zip", "a.zip", zipped(("m.mlpackage/Manifest.json", b"{}")), (), "mlpackage"),
        ("keras", "a.keras", zipped(("config.json", b"{}"), ("model.weights.h5", h5)), (), "keras"),
        ("torch zip", "a.pt", torch_zip(), (), "torch_zip"),
        ("torch legacy", "a.bin", torch_legacy(), (), "torch_legacy"),
        (
            "lfs pointer",
            "a.bin",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12\n",
            (),
            "lfs_pointer",
        ),
        ("7z in 7z", "a.7z", sevenzip("b.7z", sevenzip("w.bin", st)), ("b.7z", "w.bin"), "safetensors"),
        ("video after a picture", "a.jpg", jpeg() + video, (f"appended@{len(jpeg())}",), "mp4"),
    ]


def harmless() -> list[tuple[str, bytes, str]]:
    """Return (file name, bytes, kind) of files that must not alarm anybody."""
    tokens = json.dumps({"model": {"vocab": {f"tok{i}Ġ{i:x}": i for i in range(3000)}}}).encode()
    digests = json.dumps({f"f{i}": f"{i:064x}" for i in range(200)}).encode()
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "outputs": [{"data": {"image/png": base64.b64encode(png(bytes(range(65, 91)) * 20)).decode()}}],
            }
        ]
    }
    return [
        ("z_ok.json", b'{"a": 1}\n', "json"),
        ("z_ok.csv", b"id,label\n1,a\n2,b\n", "csv"),
        ("z_ok.txt", b"plain text, nothing else\n", "text"),
        ("z_ok.jsonl", b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("z_ok.md", b"# Title\n\ncategory\nlabel\n.\n", "text"),
        ("z_ok.png", png(), "png"),
        ("z_ok.jpg", jpeg(), "jpeg"),
        ("z_ok.pdf", pdf(), "pdf"),
        ("tokenizer.json", tokens, "json"),
        ("digests.json", digests, "json"),
        ("sha.txt", "".join(f"{i:064x}  file{i}\n" for i in range(500)).encode(), "text"),
        ("int_array.npy", npy(), "npy"),
        ("int_arrays.npz", npz(a=np.arange(9), b=np.zeros((2, 2))), "npz"),
        ("numbers.txt", b"0.5\n1.25\n-3e8\n", "text"),
        ("number.txt", b"1.", "text"),
        ("integer.txt", b"I1\nI2\n", "text"),
        ("s.txt", b"(See the notes below for all of it.)\n" * 9, "text"),
        ("inst.txt", b"(installed\nyes\nno\n", "text"),
        ("ignore.txt", b"cache\ndist\n.venv\n", "text"),
        ("words.txt", b"cat\ndog\nRabbit\n", "text"),
        ("brackets.txt", b"(((((((((\n", "text"),
        ("value.txt", b"Value\np-value\n0.05\n", "text"),
        ("version.txt", b"Version 1\n\nnotes\n", "text"),
        ("zlib.txt", b"x^2 + y^2 = z^2, as they say\n" * 40, "text"),
        ("digits.csv", b"070701,0,1\n1,2,3\n", "csv"),
        ("duck.txt", b"The big DUCK swims in the lake\n", "text"),
        ("train.log", b"\x1b[32mstep 1\x1b[0m loss 0.5\rstep 2\n" * 50, "text"),
        ("latin.txt", "a naïve visitor wrote this in a café\n".encode("latin-1") * 30, "text"),
        ("utf16.txt", ("hello\n" * 99).encode("utf-16"), "text"),
        ("nb.ipynb", json.dumps({**notebook, "nbformat": 4}).encode(), "notebook"),
        ("floats.jsonl", b"".join(json.dumps({"v": [i / 7, i / 3]}).encode() + b"\n" for i in range(900)), "jsonl"),
        ("fig.svg", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'></svg>", "svg"),
        ("empty.txt", b"", "empty"),
        ("rerun.txt", b"RRF2 is the magic of a format\n", "text"),
        ("parquet.txt", b"PAR1 is the magic of another\n", "text"),
    ]
