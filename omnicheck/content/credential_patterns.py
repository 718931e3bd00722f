"""Our own rules for credentials, and what we change about the vendored ones. Data, with the reason beside it."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from omnicheck.content.detector import LONG, REACH

PLACEHOLDER = re.compile(
    rb"(?i)^(?:<.*>|\[.*\]|\{.*\}|\(.*\)|\*+|%.*%|\$\{.*\}|\$\w+|\$\(.*)$|^(?:your|my)[_-]|x{6}|\*{3}|\.{3}|redacted|placeholder"
)
"""What people write where a secret would stand."""

FALSE_FRIENDS = frozenset(
    {
        # identifiers and public keys: they open nothing
        *("adobe-client-id", "asana-client-id", "bitbucket-client-id", "discord-client-id", "linkedin-client-id"),
        *("messagebird-client-id", "plaid-client-id", "sendbird-access-id", "sumologic-access-id"),
        *("flutterwave-public-key", "lob-pub-api-key", "mailgun-pub-key", "new-relic-user-api-id"),
        # ours are narrower (names that speak of a secret) or wider (a header without its body, any sign after it)
        *("generic-api-key", "private-key", "curl-auth-header", "curl-auth-user", "huggingface-access-token"),
        *("telegram-bot-api-token", "openai-api-key"),
    }
)


class Narrowed(Struct, frozen=True):
    """Another anchor for a rule whose keyword is a common word; and its pattern, where that is changed too."""

    anchor: str
    literals: tuple[str, ...]
    pattern: str = ""


NARROWED = {
    "cohere-api-token": Narrowed("(?i:cohere(?:[_ .-]|['\"]?[ \\t]{0,3}[:=])|co_api_key)", ("cohere", "co_api_key")),
    "aws-access-token": Narrowed(
        "(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{8}", ("a3t", "akia", "asia", "abia", "acca")
    ),
    "1password-secret-key": Narrowed("A3-[A-Z0-9]{6}-", ("a3-",)),
    "1password-service-account-token": Narrowed("ops_eyJ", ("ops_eyj",)),
    "authress-service-client-access-key": Narrowed(
        "(?:sc|ext|scauth|authress)_[A-Za-z0-9]{5,30}\\.[A-Za-z0-9]", ("sc_", "ext_", "scauth_", "authress_")
    ),
    "azure-ad-client-secret": Narrowed(
        "Q~[A-Za-z0-9_~.-]{4}",
        ("q~",),
        "(?:^|[\\\\'\"\\x60\\t\\n\\f\\r >=:(,)])([a-zA-Z0-9_~.]{3}[0-9]Q~[a-zA-Z0-9_~.-]{31,34})",
    ),
    "databricks-api-token": Narrowed("dapi[a-f0-9]{8}", ("dapi",)),
    "clickhouse-cloud-api-secret-key": Narrowed("4b1d[A-Za-z0-9]{8}", ("4b1d",)),
    "facebook-access-token": Narrowed("[|%][0-9A-Za-z_-]{8}", ("|", "%")),
    "facebook-page-access-token": Narrowed("EAA[MC][A-Za-z0-9]{8}", ("eaam", "eaac")),
    "flyio-access-token": Narrowed("(?:fo1_|fm1[ar]_|fm2_)", ("fo1_", "fm1a_", "fm1r_", "fm2_")),
    "gocardless-api-token": Narrowed("(?i:gocardless)", ("gocardless",)),
    "harness-api-key": Narrowed("(?:pat|sat)\\.[A-Za-z0-9_-]{8}", ("pat.", "sat.")),
    "intra42-client-secret": Narrowed("s-s4t2(?:ud|af)-", ("s-s4t2",)),
    "jwt": Narrowed("eyJ[a-zA-Z0-9]{8}", ("eyj",)),
    "linear-client-secret": Narrowed("(?i:linear[\\w.-]{0,20}['\"]?[ \\t]{0,3}[:=])", ("linear",)),
    "lob-api-key": Narrowed("(?:live|test)_[a-f0-9]{8}", ("live_", "test_")),
    "octopus-deploy-api-key": Narrowed("API-[A-Z0-9]{8}", ("api-",)),
    "sendgrid-api-token": Narrowed("SG\\.[A-Za-z0-9=_.-]{8}", ("sg.",)),
    # the bare 40 digits of the public rule are any git commit
    "sourcegraph-access-token": Narrowed(
        "(?i:sgp_)", ("sgp_",), "\\b(sgp_(?:[a-fA-F0-9]{16}|local)_[a-fA-F0-9]{40}|sgp_[a-fA-F0-9]{40})\\b"
    ),
    # EAAA… of the public rule stands in any long base64
    "square-access-token": Narrowed("sq0atp-", ("sq0atp-",), "\\b(sq0atp-[\\w-]{22,60})"),
    "twilio-api-key": Narrowed("SK[0-9a-f]{8}", ("sk",), "\\b(SK[0-9a-f]{32})\\b"),
    "vault-service-token": Narrowed("hvs\\.[\\w-]{4}", ("hvs.",), "\\b(hvs\\.[\\w-]{24,120})"),
}


_EXAMPLE = re.compile(rb"(?i)example|change[_-]?me|dummy|(?:insert|put|enter|your)[_-]")


def _any(_secret: bytes, _match: bytes) -> bool:
    return True


_UPPER, _LOWER, _NUMBER = re.compile(rb"[A-Z]"), re.compile(rb"[a-z]"), re.compile(rb"[0-9]")
_HEX = re.compile(rb"[0-9a-fA-F]{32,}")
_UUID = re.compile(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FAINT = re.compile(rb"(?i)_?(?:token|credentials?)[\"'\\]*[ \t]*[:=]")
_PASSWORD = re.compile(rb"(?i)passw|passphrase|pwd")
_WORDS = re.compile(rb"(?:[a-z]+|[A-Z][a-z]+|[A-Z]+)(?:[_.-](?:[a-z]+|[A-Z][a-z]+|[A-Z]+))*")
_CODE = re.compile(rb"[A-Za-z_][\w.]*[(\[]|.*://")
_PATH_OR_NAME = re.compile(rb"(?i)[./~\\]|.*\.(?:json|ya?ml|txt|py|pem|key|env|npz|csv|md|toml|ini)$")


def _mixed(secret: bytes, _match: bytes) -> bool:
    return _NUMBER.search(secret) is not None and (_LOWER.search(secret) or _UPPER.search(secret)) is not None


def _assigned(secret: bytes, match: bytes) -> bool:
    """Whether the value beside a telling name is a secret: not a word, a path or a placeholder."""
    if any(each(secret) for each in (_WORDS.fullmatch, _PATH_OR_NAME.match, _CODE.match, _EXAMPLE.search)):
        return False
    kinds = [bool(_UPPER.search(secret)), bool(_LOWER.search(secret)), bool(_NUMBER.search(secret))]
    if _FAINT.match(match):
        # "token" alone also names a piece of text or a digest: the value must look random by itself.
        return all(kinds) and len(secret) >= 16 and not _HEX.fullmatch(secret) and not _UUID.fullmatch(secret)
    if _PASSWORD.match(match):
        return len(secret) >= 6
    return len(secret) >= 8 and kinds[2] and (kinds[0] or kinds[1])


def _password(secret: bytes, _match: bytes) -> bool:
    lowered = secret.lower()
    return not _EXAMPLE.search(secret) and lowered not in {
        b"password",
        b"passwd",
        b"pass",
        b"pwd",
        b"secret",
        b"token",
        b"user",
        b"test",
        b"none",
        b"null",
    }


class Own(Struct, frozen=True):
    """A rule of ours: the first group is the secret."""

    id: str
    pattern: str
    entropy: float = 0.0
    accepts: Callable[[bytes, bytes], bool] = _any
    reach: int = REACH
    back: int = 32


_QUOTE = "\\\\?[\"']?"
_IS = f"{_QUOTE}[ \\t]{{0,3}}(?:=|:|=>|:=)[ \\t]{{0,3}}{_QUOTE}"
_VALUE = "([A-Za-z0-9!#$%&*+./:<=>?@^_|~{}()\\[\\]-]{6,200})"
FREE = "(?:\\b|_|\\\\[nrt])"
_NAMES = (
    "passw(?:or)?d|passwd|passphrase|pwd|api[_-]?key|api[_-]?token|api[_-]?secret|apikey|secret[_-]?key|access[_-]?key"
    "|access[_-]?token|auth[_-]?token|auth[_-]?key|private[_-]?key|client[_-]?secret|refresh[_-]?token|bearer[_-]?token"
    "|session[_-]?token|signing[_-]?key|encryption[_-]?key|account[_-]?key|license[_-]?key"
    "|webhook[_-]?secret|_secret|secret"
)
# "token" alone also names a piece of text: only a long value is looked at.
_FAINT_NAMES = "_?token|credentials?"
_LONG_VALUE = "[A-Za-z0-9+/_.=-]{16}"
OWN: tuple[Own, ...] = (
    Own(
        "private-key",
        "(?i:(-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----"
        "(?:[A-Za-z0-9+/=\\t\\r\\n \\\\:,-]*-----END[ A-Z0-9_-]{0,60}KEY(?: BLOCK)?-----"
        "|(?:(?:\\\\[nr]|[\\t\\r\\n ])*[A-Za-z0-9+/=]{16,76})*)))",
        reach=LONG,
    ),
    Own("putty-private-key", "(PuTTY-User-Key-File-[0-9][^\\x00]{0,1000})", reach=LONG),
    Own("huggingface-token", f"{FREE}(hf_[A-Za-z0-9]{{20,64}})(?:[^A-Za-z0-9]|\\z)", 3.0),
    Own(
        "wandb-key",
        f"(?i:(?:wandb|weights[ _&-]{{0,3}}(?:and)?[ _-]?biases)"
        f"[\\w. /:(-]{{0,40}}?(?:key|token|login|password|identity)[\\w.-]{{0,10}}"
        f"(?:{_IS}|[ \\t]+)(?:user[ \\t]+)?(?:password[ \\t]+)?)"
        f"((?:local-)?[0-9a-fA-F]{{40}}|wandb_v[0-9]_[A-Za-z0-9_]{{40,120}})(?:[^A-Za-z0-9]|\\z)",
        3.0,
    ),
    Own(
        "comet-key",
        f"(?i:comet(?:[_-]?ml)?[\\w.-]{{0,10}}key[\\w.-]{{0,10}}(?:{_IS}|[ \\t]+))"
        f"([A-Za-z0-9]{{20,60}})(?:[^A-Za-z0-9]|\\z)",
        3.0,
    ),
    Own(
        "kaggle-key",
        '"username"[ \\t]{0,3}:[ \\t]{0,3}"[^"\\n]{1,64}"[ \\t]{0,3},'
        '[ \\t\\n\\r]{0,8}"key"[ \\t]{0,3}:[ \\t]{0,3}"([0-9a-f]{32})"',
        3.0,
    ),
    Own("model-provider-key", f"{FREE}(sk-(?:proj|svcacct|admin|ant|or|lf|None)-[A-Za-z0-9_-]{{20,240}})", 3.0, _mixed),
    Own("model-provider-legacy-key", f"{FREE}(sk-[A-Za-z0-9]{{32,128}})(?:[^A-Za-z0-9_-]|\\z)", 3.5, _mixed),
    Own(
        "model-service-key",
        f"{FREE}(r8_[A-Za-z0-9]{{36,40}}|gsk_[A-Za-z0-9]{{48,56}}|xai-[A-Za-z0-9]{{70,90}}|nvapi-[A-Za-z0-9_-]{{60,70}}|pcsk_[A-Za-z0-9_]{{50,90}}|lsv2_(?:pt|sk)_[a-f0-9]{{32}}_[a-f0-9]{{10}}|csk-[a-z0-9]{{48}}|fw_[A-Za-z0-9]{{22,26}}|tgp_v1_[\\w-]{{43}}|dckr_pat_[\\w-]{{27}}|ya29\\.[\\w-]{{20,400}}|GOCSPX-[\\w-]{{28}})(?:[^A-Za-z0-9_-]|\\z)",
        3.0,
        _mixed,
    ),
    Own("github-token", f"{FREE}(gh[pousr]_[A-Za-z0-9]{{30,255}}|github_pat_\\w{{40,255}})", 3.0),
    Own("gitlab-token", f"{FREE}(gl(?:pat|ptt|dt|rt|soat|cbt|oas|ft|imt|agent|ffct)-[\\w.-]{{20,300}})", 3.0),
    Own("slack-token", f"{FREE}(xox[abeoprs]-[A-Za-z0-9-]{{10,250}}|xapp-[0-9]-[A-Za-z0-9-]{{20,250}})", 2.5, _mixed),
    Own("telegram-token", "(?:^|[^0-9A-Za-z])([0-9]{8,10}:AA[A-Za-z0-9_-]{33})(?:[^A-Za-z0-9_-]|\\z)", 3.0),
    Own(
        "aws-secret-key",
        f"(?i:aws[\\w.-]{{0,12}}(?:secret|sec|key)[\\w. -]{{0,24}}{_IS})([A-Za-z0-9/+]{{40}})(?:[^A-Za-z0-9/+]|\\z)",
        4.0,
    ),
    Own("azure-storage-key", "(?i:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,88}={0,2})", 3.0),
    Own("signed-url", "(?i:[?&](?:sig|X-Amz-Signature|X-Goog-Signature)=)([A-Za-z0-9%/+_-]{40,600})", 3.0),
    Own(
        "password-url",
        "(?i:[a-z][a-z0-9+.-]{1,30}://)[^\\x00-\\x20/:@\"'<>]{0,128}:([^\\x00-\\x20/@\"'<>`]{3,128})@[A-Za-z0-9_\\[]",
        1.0,
        _password,
    ),
    Own(
        "authorization-header",
        "(?i:(?:authorization|x-api-key|api-key|x-auth-token)[\"']?[ \\t]{0,3}[:=][ \\t]{0,3}[\"']?"
        "(?:(?:bearer|token|basic)[ \\t]+)?)"
        "([A-Za-z0-9_~.+/=-]{16,1000})",
        3.0,
        _mixed,
        LONG,
    ),
    Own("bearer-token", "(?i:bearer[ \\t]+)([A-Za-z0-9_~.+/=-]{20,1000})", 3.5, _mixed, LONG),
    Own(
        "netrc-password",
        "(?i:machine[ \\t\\n]+[\\w.-]+[ \\t\\n]+login[ \\t\\n]+[^\\x00-\\x20]+[ \\t\\n]+password[ \\t\\n]+)"
        "([^\\x00-\\x20\"']{6,200})",
        2.0,
        _password,
    ),
    Own(
        "command-password",
        "(?i:(?:--password|--token|--api-key|--secret)[= ]['\"]?)([A-Za-z0-9!#%&*+./:;=?@^_|~-]{8,200})",
        2.5,
        _assigned,
    ),
    Own("secret-assignment", f"(?i:(?:{_NAMES}){_IS}){_VALUE}", 2.5, _assigned, 320, 4),
    Own("token-assignment", f"(?i:(?:{_FAINT_NAMES}){_IS}){_VALUE}", 3.0, _assigned, 320, 4),
)

_NAME_LITERALS = (
    *("passw", "passphrase", "pwd", "api_", "api-", "apikey", "apitoken", "apisecret", "secret", "access_", "access-"),
    *(
        "accesskey",
        "accesstoken",
        "auth_",
        "auth-",
        "authtoken",
        "authkey",
        "private",
        "client",
        "refresh",
        "bearer",
        "session",
    ),
    *("signing", "encryption", "account", "license", "webhook", "_secret"),
)
OWN_ANCHORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "private-key": ("(?i:-----BEGIN)", ("-----begin",)),
    "putty-private-key": ("PuTTY-User-Key-File-[0-9]", ("putty-user-key-file-",)),
    "huggingface-token": ("hf_[A-Za-z0-9]{8}", ("hf_",)),
    "wandb-key": ("(?i:wandb|weights[ _&-]{0,3}(?:and)?[ _-]?biases)", ("wandb", "weights")),
    "comet-key": ("(?i:comet(?:[_-]?ml)?[\\w.-]{0,10}key)", ("comet",)),
    "kaggle-key": ('"username"[ \\t]{0,3}:', ('"username"',)),
    "model-provider-key": ("sk-(?:proj|svcacct|admin|ant|or|lf|None)-", ("sk-",)),
    "model-provider-legacy-key": ("sk-[A-Za-z0-9]{8}", ("sk-",)),
    "model-service-key": (
        "(?:r8_[A-Za-z0-9]{8}|gsk_[A-Za-z0-9]{8}|xai-[A-Za-z0-9]{8}|nvapi-|pcsk_|lsv2_|csk-[a-z0-9]{8}|fw_[A-Za-z0-9]{8}|tgp_v1_|dckr_pat_|ya29\\.|GOCSPX-)",
        ("r8_", "gsk_", "xai-", "nvapi-", "pcsk_", "lsv2_", "csk-", "fw_", "tgp_v1_", "dckr_pat_", "ya29.", "gocspx-"),
    ),
    "github-token": (
        "(?:gh[pousr]_[A-Za-z0-9]{8}|github_pat_)",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    ),
    "gitlab-token": ("gl(?:pat|ptt|dt|rt|soat|cbt|oas|ft|imt|agent|ffct)-[\\w-]{8}", ("gl",)),
    "slack-token": ("(?:xox[abeoprs]-[A-Za-z0-9]|xapp-[0-9]-)", ("xox", "xapp-")),
    "telegram-token": (":AA[A-Za-z0-9_-]{8}", (":aa",)),
    "aws-secret-key": (f"(?i:aws[\\w.-]{{0,12}}(?:secret|sec|key)[\\w. -]{{0,24}}{_IS})", ("aws",)),
    "azure-storage-key": ("(?i:AccountKey|SharedAccessKey)=", ("accountkey=", "sharedaccesskey=")),
    "signed-url": ("(?i:[?&](?:sig|X-Amz-Signature|X-Goog-Signature)=)", ("?", "&")),
    "password-url": ("://[^\\x00-\\x20/:@\"'<>]*:[^\\x00-\\x20/@\"'<>`]+@", ("://",)),
    "authorization-header": (
        "(?i:(?:authorization|x-api-key|api-key|x-auth-token)[\"']?[ \\t]{0,3}[:=])",
        ("authorization", "x-api-key", "api-key", "x-auth-token"),
    ),
    "bearer-token": ("(?i:bearer[ \\t]+[A-Za-z0-9_~.+/=-]{4})", ("bearer",)),
    "netrc-password": ("(?i:machine[ \\t\\n]+[\\w-])", ("machine",)),
    "command-password": (
        "(?i:(?:--password|--token|--api-key|--secret)[= ])",
        ("--password", "--token", "--api-key", "--secret"),
    ),
    "secret-assignment": (f"(?i:(?:{_NAMES}){_QUOTE}[ \\t]{{0,3}}(?:=|:))", _NAME_LITERALS),
    "token-assignment": (
        f"(?i:(?:{_FAINT_NAMES}){_IS}){_LONG_VALUE}",
        ("_token", "token", "credential"),
    ),
}
"""Where each rule of ours is tried: pattern, and the literals it begins with."""
