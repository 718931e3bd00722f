"""The texts of a Jupyter notebook: sources and outputs; pictures are decoded, their base64 is never read as text."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Any

import msgspec

MAX_CELLS = 100_000


def notebook_texts(data: Any) -> Iterator[tuple[str, bytes]]:
    """Yield place and text of each cell's source and outputs, and of the notebook's metadata."""
    notebook = _decoded(data)
    if not isinstance(notebook, dict):
        return
    yield "notebook metadata", _plain(notebook.get("metadata"))
    for i, cell in enumerate(_list(notebook.get("cells"))[:MAX_CELLS], 1):
        if not isinstance(cell, dict):
            continue
        yield f"cell {i}", _joined(cell.get("source"))
        yield f"cell {i} metadata", _plain(cell.get("metadata"))
        for output in _list(cell.get("outputs")):
            if not isinstance(output, dict):
                continue
            for key in ("text", "traceback", "evalue"):
                yield f"cell {i} output", _joined(output.get(key), end="\n" if key == "traceback" else "")
            bundle = output.get("data")
            for mime, value in bundle.items() if isinstance(bundle, dict) else ():
                if not mime.startswith(("image/", "audio/", "video/", "application/octet")) or mime == "image/svg+xml":
                    yield f"cell {i} output", _joined(value) if isinstance(value, str | list) else _plain(value)


def notebook_images(data: Any) -> Iterator[tuple[str, bytes]]:
    """Yield place and bytes of each picture that a notebook shows."""
    notebook = _decoded(data)
    for i, cell in enumerate(_list(notebook.get("cells")) if isinstance(notebook, dict) else (), 1):
        for output in _list(cell.get("outputs")) if isinstance(cell, dict) else ():
            bundle = output.get("data") if isinstance(output, dict) else None
            bundles = (
                [bundle, *(cell.get("attachments") or {}).values()]
                if isinstance(cell.get("attachments"), dict)
                else [bundle]
            )
            for each in bundles:
                for mime, value in each.items() if isinstance(each, dict) else ():
                    if mime.startswith("image/") and mime != "image/svg+xml":
                        try:
                            yield f"cell {i} picture", binascii.a2b_base64(_joined(value))
                        except (binascii.Error, ValueError):
                            continue


def _decoded(data: Any) -> Any:
    try:
        return msgspec.json.decode(bytes(data))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _joined(value: Any, end: str = "") -> bytes:
    if isinstance(value, list):
        value = end.join(part for part in value if isinstance(part, str))
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else b""


def _plain(value: Any) -> bytes:
    return b"" if value in (None, {}, []) else msgspec.json.encode(value)


def is_notebook(data: Any) -> bool:
    """Whether a JSON document is a notebook."""
    notebook = _decoded(data)
    return isinstance(notebook, dict) and isinstance(notebook.get("cells"), list)
