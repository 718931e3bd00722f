"""Detectors of identity: paths of a person or a host, e-mail addresses, telephone numbers."""

from __future__ import annotations

import re

from omnicheck.content.detector import Detector, Window
from omnicheck.content.patterns import Anchor, Match, literal

# What may stand before an absolute path: nothing that makes it part of a longer name, of a URL or of a template.
BEFORE = r"""(?:\A|\\[nrtfb]|[^\w./~%$}>)\]\\-]|[\s"'=,]-[A-Za-z]|\x1b\[[0-9;]{0,10}m)""".replace(r"\s", r"\t\n\f\r ")
_PART = r"""[^\x00-\x20/\\"'<>|:;,*?(){}\[\]$`&=%]{1,64}"""
_SLASH = r"\\{0,2}/"
_REST = re.compile(rb"""[^\x00-\x20"'<>|;,`]*""")
_PLACEHOLDERS = frozenset(
    b"user username user_name your_user your_username yourusername your_name yourname your-name your-user you name me "
    b"someone somebody someuser some_user example example_user foo bar shared public default xxx ... .. . _ "
    b"<user> path username> "
    b"myuser my_user login account uid".split()
)
_EXAMPLE_DOMAIN = re.compile(
    rb"(?i)(?:^|\.)(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localhost|local|domain\.(?:com|tld)|your-?domain\.\w+"
    rb"|noreply\.[\w.]+|email\.com|users\.noreply\.github\.com)$"
)
_EXAMPLE_LOCAL = re.compile(
    rb"(?i)(?:no-?reply|do-?not-?reply|donotreply|git|user(?:name)?|you|your[._-]?\w*|name|first\.last|someone|foo|bar|"
    rb"john\.?doe|jane\.?doe|example)(?:\+.*)?"
)
_FILE_ENDING = frozenset(
    b"png jpg jpeg gif svg webp bmp json jsonl yaml yml txt csv tsv html css js ts tsx jsx mp4 mov npz npy pt pth onnx "
    b"safetensors bin log toml ini cfg lock whl zip gz tar parquet ipynb map min".split()
)


def _size(count: int) -> str:
    return f"{count} character{'' if count == 1 else 's'}"


def _length(window: Window, begin: int) -> int:
    rest = _REST.match(window.data, begin)
    return len(rest.group().rstrip(b".:)]}\\")) if rest else 0


def _name(raw: bytes) -> bytes | None:
    """Return a user's name, or None when documentation would write it so."""
    name = raw.rstrip(b".:!?\\")
    return None if not name or name.lower() in _PLACEHOLDERS else name


def _home(window: Window, match: Match) -> tuple[int, int, str] | None:
    name = _name(match.group(3))
    if name is None:
        return None
    folder = match.group(2).decode()
    shown = f"`/{folder}/<name of {_size(len(name.decode('utf-8', 'replace')))}>/…`"
    return match.start(1), match.start(1) + max(_length(window, match.start(1)), match.end(3) - match.start(1)), shown


def _windows_home(window: Window, match: Match) -> tuple[int, int, str] | None:
    name = _name(match.group(2))
    if name is None:
        return None
    shown = f"`<drive>:\\Users\\<name of {_size(len(name.decode('utf-8', 'replace')))}>\\…`"
    return match.start(1), match.start(1) + _length(window, match.start(1)), shown


def _mount(window: Window, match: Match) -> tuple[int, int, str] | None:
    name = _name(match.group(3))
    if name is None:
        return None
    category = re.sub(rb"[0-9]+$", b"<n>", match.group(2)).decode()
    shown = f"`/{category}/<name of {_size(len(name.decode('utf-8', 'replace')))}>/…`"
    return match.start(1), match.start(1) + _length(window, match.start(1)), shown


_HOST = re.compile(rb"(?i)[0-9-]|nas|srv|serv|file|stor|share|cluster|node|data")


def _share(window: Window, match: Match) -> tuple[int, int, str] | None:
    slashes, host, between = match.group(2), match.group(3), match.group(4)
    if (len(slashes), len(between)) not in {(2, 1), (4, 2)} or not _HOST.search(host):
        return None  # LaTeX and regular expressions write pairs of backslashes too
    return match.start(1), match.start(1) + _length(window, match.start(1)), f"`\\\\<host of {_size(len(host))}>\\…`"


def _email(window: Window, match: Match) -> tuple[int, int, str] | None:
    local, domain = match.group(2), match.group(3)
    ending = domain.rpartition(b".")[2].lower()
    if _EXAMPLE_DOMAIN.search(domain) or _EXAMPLE_LOCAL.fullmatch(local) or ending in _FILE_ENDING:
        return None
    before = window.data[max(0, match.start(2) - 64) : match.start(2)]
    word = re.split(rb"[\x00-\x20\"'<>(),;]", before)[-1]
    after = window.data[match.end(3) : match.end(3) + 1]
    if b"://" in word or (word.endswith((b"/", b":")) and b"mailto" not in word.lower()) or after in (b":", b"/", b"("):
        return None  # user@host of a URL or of ssh
    return match.start(1), match.end(1), f"an e-mail address of {_size(match.end(1) - match.start(1))}"


def _phone(_window: Window, match: Match) -> tuple[int, int, str] | None:
    digits = sum(chr(byte).isdigit() for byte in match.group(1))
    if not 9 <= digits <= 15:
        return None
    return match.start(1), match.end(1), f"a telephone number of {digits} digits"


_FOLDERS = (
    r"mnt|Volumes|nas[0-9]*|NAS[0-9]*|nfs[0-9]*|gpfs[0-9]*|lustre[0-9]*|beegfs|cephfs|scratch[0-9]*|data[0-9]+|disk[0-9]+"
    r"|ssd[0-9]*|nvme[0-9]*|hdd[0-9]*|volume[0-9]+|raid[0-9]*|afs|storage[0-9]+|work[0-9]+|fsx|efs|network|shares?"
)
_FOLDER_LITERALS = (
    *("mnt", "volume", "nas", "nfs", "gpfs", "lustre", "beegfs", "cephfs", "scratch", "data", "disk", "ssd", "nvme"),
    *("hdd", "raid", "afs", "storage", "work", "fsx", "efs", "network", "share"),
)
_SLASHED = ("/", "\\")

IDENTITY: tuple[Detector, ...] = (
    Detector(
        "home-path",
        "path",
        rf"{BEFORE}((?:file://)?(?:{_SLASH}[\w.+@-]{{1,64}}){{0,4}}?{_SLASH}(home|Users){_SLASH}({_PART}))",
        (Anchor(rf"/(?:home|Users){_SLASH}", ("/home", "/users"), ("home-path",)),),
        _home,
        reach=320,
    ),
    Detector(
        "windows-home-path",
        "path",
        r"(?i:(?:\A|\\[nrt]|[^A-Za-z0-9_])([A-Z]:\\{1,4}Users\\{1,4}([^\x00-\x20\\/:*?\"<>|']{1,64})))",
        (Anchor(r"(?i::\\{1,4}Users\\)", (":\\",), ("windows-home-path",)),),
        _windows_home,
    ),
    Detector(
        "root-home-path",
        "path",
        rf"{BEFORE}((?:file://)?{_SLASH}(root){_SLASH}({_PART}))",
        (Anchor(rf"/root{_SLASH}", ("/root",), ("root-home-path",)),),
        _mount,
        reach=320,
        back=16,
    ),
    Detector(
        "temporary-path",
        "path",
        rf"{BEFORE}((?:file://)?{_SLASH}(private{_SLASH}var|var{_SLASH}folders){_SLASH}({_PART}))",
        (Anchor(rf"/(?:private{_SLASH}var|var{_SLASH}folders){_SLASH}", ("/private", "/var"), ("temporary-path",)),),
        _mount,
        reach=320,
        back=16,
    ),
    Detector(
        "mount-path",
        "path",
        rf"{BEFORE}((?:file://)?{_SLASH}({_FOLDERS}){_SLASH}({_PART}))",
        (
            Anchor(
                rf"/(?:{_FOLDERS}){_SLASH}[A-Za-z0-9_.@+-]",
                tuple(f"/{word}" for word in _FOLDER_LITERALS),
                ("mount-path",),
            ),
        ),
        _mount,
        reach=320,
        back=16,
    ),
    Detector(
        "network-share",
        "path",
        r"(?:\A|[\t\n\f\r \"'=(,\[{<>\x60])((\\{2,4})([A-Za-z0-9][A-Za-z0-9_.-]{2,62})(\\{1,2})[A-Za-z0-9$_.-]{2,64})",
        (Anchor(r"\\\\[A-Za-z0-9][A-Za-z0-9_.-]", ("\\\\",), ("network-share",)),),
        _share,
    ),
    Detector(
        "email",
        "email",
        r"(?:\A|[^A-Za-z0-9._%+-])(([A-Za-z0-9._%+-]{1,64})@((?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}))(?:[^A-Za-z0-9-]|\z)",
        (Anchor(r"@[A-Za-z0-9-]+\.[A-Za-z0-9]", ("@",), ("email",)),),
        _email,
        reach=320,
        back=72,
    ),
)

PHONE = Detector(
    "phone",
    "phone",
    r"(?:\A|[^0-9A-Za-z+])(\+[1-9][0-9]{0,2}(?:[ ().-]{1,2}[0-9]{2,5}){2,5})(?:[^0-9A-Za-z]|\z)",
    (Anchor(r"\+[1-9][0-9]{0,2}[ (.-]", ("+",), ("phone",)),),
    _phone,
)
__all__ = ["IDENTITY", "PHONE", "literal"]
