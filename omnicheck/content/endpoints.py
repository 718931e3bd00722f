"""Detectors of private endpoints: addresses that only mean something inside a house."""

from __future__ import annotations

import re

from omnicheck.content.detector import Detector, Window
from omnicheck.content.patterns import Anchor, Match

_PRIVATE_NAMES = ("local", "internal", "lan", "corp", "intranet", "home")
_PRIVATE = f"(?:{'|'.join(_PRIVATE_NAMES)})"
_SCHEMES = (
    "https?|wss?|tcp|udp|grpcs?|rediss?|postgres(?:ql)?|mysql|mongodb(?:\\+srv)?|amqps?|s?ftp|ssh|smb|nfs|rsync|kafka|mqtts?"
    "|ray|zmq|rtsps?|vnc|ldaps?|nats"
)
_PRIVATE_SUFFIX = re.compile(rb"(?i)\.(?:local|internal|lan|corp|intranet|home|localdomain|home\.arpa)\.?$")
_PLACEHOLDER = re.compile(
    rb"(?i)(?:host(?:name)?|server|your[_-]?\w*|example|my[_-]?\w*|proxy|ip|address|domain|url|x+|foo|bar|some\w*)"
)
_HINT = re.compile(
    rb"(?i)(?:host|addr|ip|server|endpoint|node|master|peer|gateway|url|uri|connect|rdzv|worker|listen|bind|ssh|ping|@)\w*"
    rb"[\"'\\]*[ \t]{0,2}[:=]?[ \t]{0,2}[\"'(\\]*(?:at |to |on )?$"
)
_PORT = re.compile(rb":[0-9]{2,5}(?![0-9.])|/(?:8|12|16|20|24|32)(?![0-9])")


def private_address(host: bytes) -> str:
    """Return what kind of private address a numeric host is, or an empty string."""
    parts = host.split(b".")
    if len(parts) != 4 or any(not part.isdigit() or len(part) > 3 or int(part) > 255 for part in parts):
        return ""
    first, second = int(parts[0]), int(parts[1])
    if first == 127:
        return "loopback address"
    if (
        first == 10
        or (first, second) == (192, 168)
        or (first == 172 and 16 <= second <= 31)
        or (first, second) == (169, 254)
    ):
        return "private address"
    return "address of every interface" if host == b"0.0.0.0" else ""


def private_host(host: bytes, *, port: bool) -> str:
    """Return what makes a host of a URL private, or an empty string."""
    lowered = host.lower()
    if lowered.startswith(b"["):
        return (
            "loopback address"
            if lowered == b"[::1]"
            else "private address"
            if lowered[1:3] in (b"fc", b"fd", b"fe")
            else ""
        )
    if lowered == b"localhost":
        return "loopback host"
    if address := private_address(lowered):
        return address
    if _PRIVATE_SUFFIX.search(lowered):
        return "host of a private domain"
    if b"." not in lowered and port and not _PLACEHOLDER.fullmatch(lowered) and re.search(rb"[a-z]", lowered):
        return "host without a domain"
    return ""


def _url(_window: Window, match: Match) -> tuple[int, int, str] | None:
    what = private_host(match.group(3), port=match.start(4) >= 0)
    scheme = match.group(2).decode().lower()
    port = " and a port" if match.start(4) >= 0 else ""
    return (match.start(1), match.end(1), f"a URL ({scheme}) with a {what}{port}") if what else None


def _numeric(window: Window, match: Match) -> tuple[int, int, str] | None:
    what = private_address(match.group(1))
    before = window.data[max(0, match.start(1) - 48) : match.start(1)]
    after = window.data[match.end(1) : match.end(1) + 8]
    if (
        not what
        or before.endswith(b"://")
        or re.match(rb"[.-]?[0-9A-Za-z_-]", after)
        or re.search(rb"[\w.+-]$", before)
    ):
        return None
    port = _PORT.match(after)
    # Four numbers are a version as well: 10.x counts beside a port, a mask or a name that speaks of a host.
    sure = match.group(1).startswith((b"127.", b"192.168.")) or port is not None
    if what == "address of every interface" and port is None:
        return None
    if not sure and not _HINT.search(before):
        return None
    return (
        match.start(1),
        match.end(1),
        f"a {what}" + (" with a port" if port is not None and port.group()[:1] == b":" else ""),
    )


def _named(_window: Window, match: Match) -> tuple[int, int, str] | None:
    host = match.group(2)
    what = "loopback host" if host.lower() == b"localhost" else "host of a private domain"
    return match.start(1), match.end(1), f"a {what}" + (" with a port" if match.start(3) >= 0 else "")


def _assigned(_window: Window, match: Match) -> tuple[int, int, str] | None:
    what = private_host(match.group(2), port=True)
    if not what or private_address(match.group(2)):
        return None  # a numeric address is told by its own rule
    return match.start(1), match.end(1), f"a {what} with a port"


_ADDRESSED = "host|addr|address|endpoint|server|master|broker|scheduler|coordinator"
_END = "(?:[^A-Za-z0-9_-]|\\z)"
ENDPOINTS: tuple[Detector, ...] = (
    Detector(
        "private-url",
        "endpoint",
        f"(?i:(?:\\A|\\\\[nrt]|[^A-Za-z0-9+.-])((?:({_SCHEMES})://)(?:[^\\x00-\\x20/@\"'<>]{{0,128}}@)?(\\[[0-9a-f:.]{{2,64}}\\]|[A-Za-z0-9_.-]{{1,253}})(?::([0-9]{{1,5}}))?))",
        (
            # Most URLs are public: only what may be private is looked at again.
            Anchor(
                "(?i:://(?:[^\\x00-\\x20/@\"'<>]*@)?(?:localhost|127\\.[0-9]|10\\.[0-9]|192\\.168\\.|172\\.[123]|169\\.254\\.|0\\.0\\."
                "|\\[|[A-Za-z0-9_-]+:[0-9]))",
                ("://",),
                ("private-url",),
            ),
            Anchor(f"(?i:\\.{_PRIVATE})", tuple(f".{name}" for name in _PRIVATE_NAMES), ("private-url",)),
        ),
        _url,
    ),
    Detector(
        "private-address",
        "endpoint",
        "([0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3})",
        (
            Anchor(
                "(?:127|10|192\\.168|169\\.254|172\\.(?:1[6-9]|2[0-9]|3[01])|0\\.0)\\.[0-9]{1,3}\\.[0-9]{1,3}",
                ("127.", "10.", "192.168.", "169.254.", "172.", "0.0."),
                ("private-address",),
            ),
        ),
        _numeric,
    ),
    Detector(
        "private-name",
        "endpoint",
        "(?i:(?:\\A|\\\\[nrt]|[^A-Za-z0-9_./-])(((?:[A-Za-z0-9-]{1,63}\\.){0,5}[A-Za-z0-9]*(?:-[A-Za-z0-9]+|[A-Za-z][0-9]{1,4})[A-Za-z0-9-]{0,40}(?:\\.[A-Za-z0-9-]{1,63}){0,3}\\.(?:local|internal|lan|corp|intranet))(?::([0-9]{2,5}))?)(?:[^A-Za-z0-9_./-]|[.][^A-Za-z0-9]|\\z))",
        (
            Anchor(
                "(?i:\\.(?:local|internal|lan|corp|intranet))",
                (".local", ".internal", ".lan", ".corp", ".intranet"),
                ("private-name",),
            ),
        ),
        _named,
    ),
    Detector(
        "loopback-name",
        "endpoint",
        f"(?i:(?:\\A|\\\\[nrt]|[^A-Za-z0-9_./-])((localhost):([0-9]{{2,5}})){_END})",
        (Anchor("(?i:localhost:[0-9]{2})", ("localhost:",), ("loopback-name",)),),
        _named,
    ),
    Detector(
        "host-and-port",
        "endpoint",
        "(?i:(?:host|addr|address|endpoint|server|master|broker|scheduler|coordinator)\\\\?[\"']?"
        f"[ \\t]{{0,2}}[:=][ \\t]{{0,2}}\\\\?[\"']?"
        f"(([A-Za-z][A-Za-z0-9_-]{{0,62}}(?:\\.[A-Za-z0-9-]{{1,63}}){{0,6}}):[0-9]{{2,5}})){_END}",
        (
            Anchor(
                f"(?i:(?:{_ADDRESSED})\\\\?[\"']?[ \\t]{{0,2}}[:=])",
                ("host", "addr", "endpoint", "server", "master", "broker", "scheduler", "coordinator"),
                ("host-and-port",),
            ),
        ),
        _assigned,
    ),
)
