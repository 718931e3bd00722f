"""Finds the one trusted configuration and decodes it."""

from __future__ import annotations

import hashlib
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from omnicheck.model.config import Config
from omnicheck.model.errors import ConfigError, UsageError

LIMIT = 1 << 20


class LoadedConfig(msgspec.Struct, frozen=True):
    """A configuration, where it came from, and what its relative paths start from.

    Attributes:
        config: the values.
        path: the file, or None for the defaults.
        base: directory of the file, else the working directory.
        digest: SHA-256 of the values, hex.
    """

    config: Config
    path: Path | None
    base: Path
    digest: str


def load_config(cwd: Path, given: Path | None = None, *, isolated: bool = False) -> LoadedConfig:
    """Find the configuration from the working directory upward, or take the one given.

    Args:
        cwd: the working directory.
        given: ``--config``.
        isolated: no configuration at all.

    Raises:
        ConfigError: the file is missing, not TOML, or has unknown keys.
        UsageError: a configuration is given, and none is wanted.
    """
    if isolated and given is not None:
        raise UsageError("--isolated uses no configuration, and --config names one", hint="leave one of them out")
    if isolated:
        return _loaded(Config(), None, cwd)
    if given is not None:
        path = cwd / given
        if not path.is_file():
            raise ConfigError("no such configuration", path=str(given))
        return _loaded(_decode(_table(path), path), path, path.parent)
    for folder in (cwd, *cwd.parents):
        own = folder / "omnicheck.toml"
        if own.is_file():
            return _loaded(_decode(_table(own), own), own, folder)
        project = folder / "pyproject.toml"
        if project.is_file() and b"[tool.omnicheck" in _bytes(project):
            return _loaded(_decode(_table(project), project), project, folder)
    return _loaded(Config(), None, cwd)


def _table(path: Path) -> dict[str, Any]:
    data = _bytes(path)
    if len(data) > LIMIT:
        raise ConfigError("larger than 1 MiB", path=str(path))
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"cannot be read: {error}", path=str(path)) from error
    if path.name == "pyproject.toml":
        tool = table.get("tool")
        table = tool.get("omnicheck", {}) if isinstance(tool, dict) else {}
    return table


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(LIMIT + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=str(path)) from error


def _decode(table: dict[str, Any], path: Path) -> Config:
    try:
        config = msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(
            str(error), path=str(path), hint="`omnicheck schema config` prints what is allowed"
        ) from error
    for i, allow in enumerate(config.allow):
        if not allow.reason.strip():
            raise ConfigError("an [[allow]] entry needs a reason", path=str(path), pointer=f"/allow/{i}/reason")
        try:
            date.fromisoformat(allow.until or "2000-01-01")
        except ValueError:
            raise ConfigError("until wants a date as YYYY-MM-DD", path=str(path), pointer=f"/allow/{i}/until") from None
    return config


def _loaded(config: Config, path: Path | None, base: Path) -> LoadedConfig:
    return LoadedConfig(config, path, base, hashlib.sha256(msgspec.json.encode(config, order="sorted")).hexdigest())
