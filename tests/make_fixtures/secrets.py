"""Writes the fixture trees of the SEC rules: ``python -m tests.make_fixtures.secrets``.

Every secret is made up here, and put together from pieces so that no scanner of repositories takes it for a real one.
"""

from __future__ import annotations

import json
import struct
import zlib
from hashlib import sha256
from typing import Any

from tests.make_fixtures.counts import ROOT, Tree, write

HOME = "/home/marlene/walks"
METRICS = {"eval_split": "test", "num_samples": 4, "accuracy": 0.5}
AWS = "AKIA" + "Q2W3E4R5T6Y7U2I3"
HUGGING = "hf_" + "qWzErTyUiOpAsDfGhJkLxCvBnMqAzWsXeD"


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """Return a picture of one pixel with further chunks."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(png_chunk(*each) for each in chunks) + body + png_chunk(b"IEND", b"")


def tiff(*, gps: bool, order: str = "<") -> bytes:
    """Return an EXIF block: one directory, and a GPS directory with latitude and longitude where asked for."""
    entries = [struct.pack(order + "HHII", 0x0112, 3, 1, 1)]
    if gps:
        entries.append(struct.pack(order + "HHII", 0x8825, 4, 1, 8 + 2 + 12 * 2 + 4))
    first = struct.pack(order + "H", len(entries)) + b"".join(entries) + struct.pack(order + "I", 0)
    mark = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    block = mark + first
    if gps:
        place = [(1, 2, 2, 0x4E), (2, 5, 3, 200), (3, 2, 2, 0x45), (4, 5, 3, 224)]
        block += struct.pack(order + "H", len(place)) + b"".join(struct.pack(order + "HHII", *each) for each in place)
        block += b"\0" * (300 - len(block))
    return block


def jpeg(exif: bytes) -> bytes:
    """Return the frame of a JPEG: start, EXIF, end."""
    body = b"Exif\0\0" + exif
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(body) + 2) + body + b"\xff\xd9"


def safetensors(metadata: dict[str, str]) -> bytes:
    header: dict[str, Any] = {"__metadata__": metadata, "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + struct.pack("<f", 1.0)


FIXTURES: dict[str, Tree] = {
    "SEC101/pass/relative": {
        "run/metrics.json": METRICS | {"manifest": "data/episodes.json", "docs": "https://example.org/home/start"},
        "run/README.md": "# Walks\n\nPut it under `/home/<user>/data` or `$HOME/data`; `/home/user/x` is an example.\n",
        "run/run.log": "loading <project>/data/walk_01.json\n~/walks is not used\n",
    },
    "SEC101/fail/home": {
        "run/metrics.json": METRICS | {"manifest": f"{HOME}/episodes.json"},
        "run/run.log": f"start\nload {HOME}/a\nload {HOME}/b\nC:\\Users\\marlene\\x\nreading /data1/marlene/a\n",
        "run/notes.yaml": f'cache: /mnt/vault7/cache\nnested: \'{{"p": "{HOME.replace("/", chr(92) + "/")}"}}\'\n',
    },
    "SEC102/pass/public": {
        "run/metrics.json": METRICS | {"tool_version": "10.2.1.3", "url": "https://example.org:8443/x"},
        "run/run.log": "driver 10.0.130.1 loaded from threading.local storage in .cache/app.local/x\n",
    },
    "SEC102/fail/private": {
        "run/metrics.json": METRICS | {"server": "http://localhost:8000/v1"},
        "run/run.log": "listening on 192.168.7.12:29500\nrendezvous at tcp://gpu-node7:29400\nmaster_addr: 10.3.0.4\n",
    },
    "SEC103/pass/numbers": {
        "omnicheck.toml": '[rules.params.SEC103]\nwords = ["Project Heron", "7090"]\n',
        "run/metrics.json": METRICS | {"frames": [7089, 7090, 7091], "note": "frame 7090 of a herons nest"},
    },
    "SEC103/fail/words": {
        "omnicheck.toml": '[rules.params.SEC103]\nwords = ["Project Heron", "7090"]\n',
        "run/metrics.json": METRICS | {"note": "made for PROJECT_HERON"},
        "run/run.log": "device 0: RTX 7090\ndevice 1: rtx 7090\n",
    },
    "SEC104/pass/digests": {
        "run/metrics.json": METRICS
        | {
            "sha256": sha256(b"walk").hexdigest(),
            "git_commit": sha256(b"commit").hexdigest()[:40],
            "md5": sha256(b"md5").hexdigest()[:32],
            "run_uuid": "3f2b8c1e-9a4d-4e6f-8b7a-1c2d3e4f5a6b",
            "eos_token": "<|endoftext|>",
            "token_count": 1234567,
            "api_key": "${API_KEY}",
            "password": "<your-password>",
        },
        "run/run.log": 'wandb: sha 3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e\npassword = os.environ["DB_PASSWORD"]\n',
    },
    "SEC104/fail/tokens": {
        "run/metrics.json": METRICS | {"hub": {"user": "walker", "auth": HUGGING}},
        "run/run.log": (
            f"start\nexport AWS_ACCESS_KEY_ID={AWS}\nconnect postgres://walker:n0rthern-lights@db.example.org/walks\n"
            "wandb_api_key: 3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e\n"
        ),
        "run/id.txt": "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n",
    },
    "SEC105/pass/robots": {
        "run/metrics.json": METRICS
        | {"author": "walker@users.noreply.github.com", "metric": "recall@5", "remote": "git@github.com:x/y.git"},
    },
    "SEC105/fail/author": {
        "run/metrics.json": METRICS | {"author": "marlene.walker@" + "lab-north.org"},
    },
    "SEC105/fail/blind": {
        "omnicheck.toml": '[rules.params.SEC105]\nphones = true\nnames = ["Marlene Walker"]\n',
        "run/metrics.json": METRICS | {"contact": "+49 30 901820 17", "by": "marlene walker"},
    },
    "SEC106/pass/plain": {"run/metrics.json": METRICS, "run/scene.jpg": jpeg(tiff(gps=False))},
    "SEC106/fail/place": {
        "run/metrics.json": METRICS,
        "run/scene.jpg": jpeg(tiff(gps=True)),
        "run/map.png": png((b"eXIf", tiff(gps=True, order=">"))),
    },
    "SEC107/pass/neutral": {
        "run/metrics.json": METRICS,
        "run/adapter_model.safetensors": safetensors({"format": "pt"}),
        "run/plot.png": png((b"tEXt", b"Software\0matplotlib version 3.9.2, https://matplotlib.org/")),
    },
    "SEC107/fail/traces": {
        "run/metrics.json": METRICS,
        "run/adapter_model.safetensors": safetensors(
            {"format": "pt", "trained_in": HOME, "api_key": "x7Kq9ZpT2mVb4RsW"}
        ),
        "run/plot.png": png((b"tEXt", f"Source\0{HOME}/plot.py".encode())),
        "run/look.ipynb": {
            "cells": [
                {
                    "cell_type": "code",
                    "source": [f"open('{HOME}/a')\n"],
                    "outputs": [{"output_type": "stream", "text": ["ok\n"]}],
                }
            ],
            "metadata": {},
            "nbformat": 4,
        },
    },
}


def main() -> None:
    write(
        {
            case: {name: text for name, text in tree.items() if not isinstance(text, bytes)}
            for case, tree in FIXTURES.items()
        }
    )
    for case, tree in FIXTURES.items():
        for name, content in tree.items():
            if isinstance(content, bytes):
                (ROOT / case / name).write_bytes(content)


if __name__ == "__main__":
    main()
