"""Writes the vendored rule data from Gitleaks' configuration: ``python -m tests.make_fixtures.credential_rules``."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "content" / "data" / "gitleaks.toml"
TARGET = ROOT / "omnicheck" / "content" / "data" / "credential_rules.json"
SPACE = r"\t\n\f\r "
PART = re.compile(r"\\x[0-9a-fA-F]{2}|\\.|\(\?i\)|\(\?-?[a-z]*:|[\s\S]")


def portable(pattern: str) -> str:
    r"""Return a pattern that both engines read alike.

    A flag in the middle becomes a group over the rest of its alternative and over each alternative after it; ``\s``
    is spelled out (re counts the vertical tab, re2 does not); ``$`` becomes ``\z``, as re2 has it.
    """
    if pattern.startswith("(?i)"):
        return f"(?i:{portable(pattern[4:])})"
    return "".join(_rewritten(pattern))


def _rewritten(pattern: str) -> Iterator[str]:
    flagged = [False]  # for each open group: whether a flag was met in it
    inside = False
    for part in PART.findall(pattern):
        if inside:
            inside = part != "]"
            yield {"\\s": SPACE, "\\S": "\\x21-\\xff"}.get(part, part)
        elif part == "[":
            inside = True
            yield part
        elif part == "(?i)":
            if not flagged[-1]:
                flagged[-1] = True
                yield "(?i:"
        elif part.startswith("("):
            flagged.append(False)
            yield part
        elif part == ")":
            yield "))" if flagged.pop() else ")"
        elif part == "|" and flagged[-1]:
            yield ")|(?i:"
        else:
            yield {"\\s": f"[{SPACE}]", "\\S": f"[^{SPACE}]", "$": "\\z"}.get(part, part)
    if flagged[-1]:
        yield ")"


def converted(source: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rules with a pattern: id, pattern, keywords, entropy, and what of a match is no secret."""
    return [
        {
            "id": rule["id"],
            "pattern": portable(rule["regex"]).replace("[\\t\\n\\f\\r \\x21-\\xff-]", "[\\x00-\\xff]"),
            "keywords": rule.get("keywords", []),
            "entropy": float(rule.get("entropy", 0)),
            "allow": [
                portable(each)
                for allow in rule.get("allowlists", [])
                if "regexTarget" not in allow and "paths" not in allow
                for each in allow.get("regexes", [])
            ],
        }
        for rule in source["rules"]
        if "regex" in rule and "path" not in rule
    ]


def rule_data() -> str:
    """Return the data file as text."""
    source = tomllib.loads(SOURCE.read_text("utf-8"))
    rules = ",\n".join(json.dumps(rule) for rule in converted(source))
    allow = json.dumps([portable(each) for each in source["allowlist"]["regexes"]])
    return f'{{"notice": "see NOTICE", "allow": {allow}, "rules": [\n{rules}\n]}}\n'


if __name__ == "__main__":
    TARGET.write_text(rule_data(), "utf-8")
