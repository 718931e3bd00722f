"""YAML documents as plain data: no aliases, no tags that construct objects."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from omnicheck.readers.json_document import Document
from omnicheck.readers.json_scan import INT_DIGITS, brief
from omnicheck.readers.problem import Problem, Tally
from omnicheck.readers.text import read_text

LIMIT = 4 << 20
DEPTH = 200

_TAG = "tag:yaml.org,2002:"
_CONVERTED = frozenset(_TAG + name for name in ("null", "bool", "int", "float"))
_COLLECTIONS = frozenset(_TAG + name for name in ("seq", "map"))
_TEXT = frozenset(_TAG + name for name in ("str", "timestamp", "value", "merge"))


def read_yaml(path: Path, *, limit: int = LIMIT, depth: int = DEPTH) -> Document:
    """Read a YAML file of one document.

    Keys and timestamps stay text. Repeated keys keep the last value; tags that stand for objects give None.

    Args:
        path: where it is.
        limit: largest size in bytes that is read.
        depth: deepest nesting that is parsed.

    Raises:
        ReadError: the file cannot be opened.
    """
    problems: list[Problem] = []
    text = read_text(path, problems, limit=limit)
    if problems:
        return Document(None, tuple(problems), readable=False)
    return parse_yaml(text, depth=depth)


def parse_yaml(text: str, *, depth: int = DEPTH) -> Document:
    """Parse YAML text of one document, without ever raising. Arguments as for ``read_yaml``."""
    import yaml  # noqa: PLC0415 - a heavy library, loaded where it is used

    loader_type: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    problems: list[Problem] = []
    try:
        refused = _refuse(yaml.parse(text, Loader=loader_type), depth)
        if refused is not None:
            return Document(None, (refused,), readable=False)
        loader = loader_type(text)
        try:
            node = loader.get_single_node()
            tally = Tally(problems)
            value = None if node is None else _plain(node, "", loader, tally)
            tally.close()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        problem = Problem(f"not YAML: {reason}", line=mark.line + 1 if mark else None)
        return Document(None, (problem,), readable=False)
    except (ValueError, RecursionError) as error:
        return Document(None, (Problem(f"not YAML: {type(error).__name__}"),), readable=False)
    return Document(value, tuple(problems))


def _refuse(events: Any, depth: int) -> Problem | None:
    # Events come one by one, before anything recursive sees the nodes.
    level = 0
    for event in events:
        name = type(event).__name__
        if name == "AliasEvent":
            message = f"alias *{event.anchor} is not followed; aliases can grow without bound"
            return Problem(message, line=event.start_mark.line + 1, kind="too-deep")
        level += name.endswith("StartEvent") - name.endswith("EndEvent")
        if level > depth + 2:  # the stream and the document are levels of their own
            return Problem(f"nests deeper than {depth} levels", line=event.start_mark.line + 1, kind="too-deep")
    return None


def _plain(node: Any, pointer: str, loader: Any, tally: Tally) -> Any:
    if node.id == "scalar":
        return _scalar(node, pointer, loader, tally)
    if node.tag not in _COLLECTIONS:
        line = node.start_mark.line + 1
        tally.add(Problem(f"tag {brief(node.tag)} is not read", line=line, pointer=pointer, kind="type"))
        return None
    if node.id == "sequence":
        return [_plain(each, f"{pointer}/{index}", loader, tally) for index, each in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if key_node.id != "scalar":
            tally.add(Problem("a key is not a scalar", line=line, pointer=pointer, kind="type"))
            continue
        key: str = key_node.value
        place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        if key in result:
            message = f"key {brief(key)} stands twice in one mapping; readers disagree which one counts"
            tally.add(Problem(message, line=line, pointer=place, kind="duplicate-key"))
        result[key] = _plain(value_node, place, loader, tally)
    return result


def _scalar(node: Any, pointer: str, loader: Any, tally: Tally) -> Any:
    line = node.start_mark.line + 1
    if node.tag in _TEXT:
        return node.value
    if node.tag not in _CONVERTED:
        tally.add(Problem(f"tag {brief(node.tag)} is not read", line=line, pointer=pointer, kind="type"))
        return None
    if len(node.value) > INT_DIGITS:
        tally.add(Problem("a number of too many digits", line=line, pointer=pointer, kind="not-finite"))
        return None
    try:
        value = loader.construct_object(node)
    except (ValueError, KeyError, OverflowError, IndexError):
        tally.add(Problem(f"{brief(node.value)} is not what its tag says", line=line, pointer=pointer, kind="type"))
        return None
    if isinstance(value, float) and not math.isfinite(value):
        tally.add(Problem(f"{brief(node.value)} is not finite", line=line, pointer=pointer, kind="not-finite"))
        return None
    return value
