"""The rule index: pages to rules, and the digest that names a set of them."""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from omnicheck.engine.config import LoadedConfig
from omnicheck.model.errors import ConfigError, RuleError, UsageError
from omnicheck.model.rule import Rule

FENCE = "+++"
ID = re.compile(r"[A-Z]{3}\d{3}\Z")
FAMILY_ORDER = (
    *("OMN", "CTR", "EVD", "CNT", "SPL", "PRD", "MET", "SHD", "RUN", "CLM"),
    *("LOR", "ONX", "KVC", "PAR", "PRM", "PUB", "SEC", "BND", "DEV", "PRO", "SES"),
)


class Page(msgspec.Struct, frozen=True):
    """A rule page: the facts of its front matter, and its prose as Markdown."""

    rule: Rule
    prose: str
    path: str


class Rulebook(msgspec.Struct, frozen=True):
    """All pages, by id, and the digest over them.

    Attributes:
        pages: by id, in order of family and number.
        digest: SHA-256 over the names and bytes of the pages, hex; the same for a wheel and a checkout.
    """

    pages: dict[str, Page]
    digest: str

    def rules(self) -> tuple[Rule, ...]:
        """The rules in order."""
        return tuple(page.rule for page in self.pages.values())


def pages_root() -> Path:
    """Return where the shipped pages lie: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "rules"
    if (package.parent / "pyproject.toml").is_file() and checkout.is_dir():
        return checkout
    return package / "_data" / "rules"


def load_rulebook(extend: Sequence[Path] = (), cache: Path | None = None) -> Rulebook:
    """Read the shipped pages and those of further directories.

    Args:
        extend: directories of rule packs.
        cache: directory of the index; None reads every page.

    Raises:
        RuleError: a page is malformed, or two pages have one id.
    """
    roots = [pages_root(), *extend]
    found = [(root, path) for root in roots for path in _page_files(root)]
    stamp = hashlib.sha256(
        repr([(str(path), s.st_size, s.st_mtime_ns, s.st_ino) for _, path in found for s in [path.stat()]]).encode()
    ).hexdigest()
    index = cache / f"rules-{stamp[:32]}.msgpack" if cache else None
    if index is not None and index.is_file():
        try:
            return msgspec.msgpack.decode(index.read_bytes(), type=Rulebook)
        except (ValueError, OSError):
            pass
    book = _read(found)
    if index is not None:
        from omnicheck.engine.store import write_atomically  # noqa: PLC0415 - only when the index is stale

        write_atomically(index, msgspec.msgpack.encode(book))
    return book


def extensions(loaded: LoadedConfig) -> list[Path]:
    """Return the directories of further pages that a configuration names.

    Raises:
        ConfigError: one of them is not there.
    """
    found = [loaded.base / extra for extra in loaded.config.rules.extend]
    for extra, place in zip(loaded.config.rules.extend, found, strict=True):
        if not place.is_dir():
            raise ConfigError(
                f"no directory of rule pages at {extra!r}",
                pointer="/rules/extend",
                hint="paths start from the configuration's directory",
            )
    return found


def parse_page(text: str, path: str) -> Page:
    """Split a page into front matter and prose.

    Raises:
        RuleError: the front matter is missing, not TOML, or has unknown keys.
    """
    parts = text.split(f"{FENCE}\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise RuleError("a rule page begins with TOML front matter between +++ lines", path=path)
    try:
        rule = msgspec.convert(tomllib.loads(parts[1]), Rule)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RuleError(f"front matter: {error}", path=path) from error
    if not ID.match(rule.id):
        raise RuleError(f"the id {rule.id!r} is not three capitals and three digits", path=path)
    if not Path(path).name.startswith(f"{rule.id}-"):
        raise RuleError(f"the page of {rule.id} must be called {rule.id}-{rule.name}.md", path=path)
    return Page(rule, parts[2].strip() + "\n", path)


def section(prose: str, title: str) -> str:
    """Return the text of one ``##`` section of a page, or an empty string."""
    match = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", prose, re.MULTILINE | re.DOTALL)
    return match.group(1).strip() if match else ""


def choose(rules: Iterable[Rule], select: Sequence[str], ignore: Sequence[str], *, preview: bool) -> tuple[Rule, ...]:
    """Return the rules that run: those selected (all stable ones by default) less those ignored.

    Raises:
        UsageError: a selector fits no rule.
    """
    known = tuple(rules)
    for selector in (*select, *ignore):
        if selector != "ALL" and not any(rule.id.startswith(selector) for rule in known):
            raise UsageError(f"no rule fits {selector!r}", hint=_suggestion(selector, known))
    return tuple(
        rule
        for rule in known
        if (
            any(s == "ALL" or rule.id.startswith(s) for s in select)
            if select
            else rule.status == "stable" or (preview and rule.status == "preview")
        )
        and (preview or rule.status != "preview" or rule.id in select)
        and not any(rule.id.startswith(selector) for selector in ignore)
    )


def known_rule(name: str, book: Rulebook, pointer: str) -> Rule:
    """Return the rule that a table of the configuration speaks of by its id.

    Raises:
        ConfigError: there is no such rule.
    """
    if name not in book.pages:
        raise ConfigError(f"no rule is called {name!r}", pointer=pointer, hint=_suggestion(name, book.rules()))
    return book.pages[name].rule


def _suggestion(name: str, known: Sequence[Rule]) -> str:
    by_name = {rule.name: rule.id for rule in known}
    families = {rule.family for rule in known}
    upper = name.upper()
    # A rule's own name, a slip of case or one letter; a family, where the number is unknown.
    near = by_name.get(name.lower()) or next(
        iter(difflib.get_close_matches(upper, [*by_name.values(), *sorted(families)], n=1)), None
    )
    if near is None and upper[:3] in families:
        near = upper[:3]
    return f"did you mean {near}? " * (near is not None) + "`omnicheck rules` lists them"


def _page_files(root: Path) -> list[Path]:
    if not root.is_dir():
        raise RuleError("no directory of rule pages", path=str(root))
    return sorted(path for path in root.glob("*/*.md") if path.name != "README.md") + sorted(
        path for path in root.glob("*.md") if path.name != "README.md"
    )


def _read(found: Sequence[tuple[Path, Path]]) -> Rulebook:
    pages: dict[str, Page] = {}
    digest = hashlib.sha256()
    for root, path in found:
        try:
            data = path.read_bytes()
            page = parse_page(data.decode("utf-8").replace("\r\n", "\n"), str(path.relative_to(root)))
        except (OSError, UnicodeDecodeError) as error:
            raise RuleError(f"cannot be read: {error}", path=str(path)) from error
        if page.rule.id in pages:
            raise RuleError(
                f"{page.rule.id} has two pages", path=str(path), hint=f"the other is {pages[page.rule.id].path}"
            )
        pages[page.rule.id] = page
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode() + data)
    order = {family: i for i, family in enumerate(FAMILY_ORDER)}
    ranked = sorted(pages.values(), key=lambda page: (order.get(page.rule.family, 99), page.rule.id))
    return Rulebook({page.rule.id: page for page in ranked}, digest.hexdigest())
