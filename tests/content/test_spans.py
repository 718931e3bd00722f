"""Spans: what is a leak, what is none, and that both engines and every way of reading say the same."""

from __future__ import annotations

import random
import re
import tomllib

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from omnicheck.content.credentials import VendoredRule, credential_detectors, vendored
from omnicheck.content.detector import LONG
from omnicheck.content.masking import mask_credentials
from omnicheck.content.patterns import Engine, compiled
from omnicheck.content.spans import USUAL, Wanted, find_spans, spans_of
from tests.checks.planted import secrets_of, told
from tests.content.ml_corpus import clean_files
from tests.make_fixtures.credential_rules import SOURCE, TARGET, rule_data

re2 = pytest.importorskip("re2")
ENGINES = ("re2", "re")

LEAKS = {
    "open /home/cy/data.json": "home-path",
    '"p": "\\/home\\/cy\\/data"': "home-path",
    '"log": "first\\n/home/cy/data"': "home-path",
    "/export/home/alice/x": "home-path",
    "/Users/alice/Library": "home-path",
    "file:///home/alice/x": "home-path",
    "gpu7:/home/alice/x": "home-path",
    "gcc -I/home/alice/include": "home-path",
    "C:\\Users\\alice\\x": "windows-home-path",
    '"C:\\\\Users\\\\alice\\\\x"': "windows-home-path",
    "c:/Users/alice/x": "home-path",
    "/root/.cache/hub": "root-home-path",
    "/private/var/folders/ab/x": "temporary-path",
    "/mnt/nas01/walks": "mount-path",
    "/data1/alice/walks": "mount-path",
    "/Volumes/Backup/walks": "mount-path",
    "see \\\\nas-01\\walks\\x": "network-share",
    '"\\\\\\\\nas-01\\\\walks\\\\x"': "network-share",
    "http://localhost:8000/v1": "private-url",
    "http://127.0.0.1/x": "private-url",
    "https://grafana.internal/d/1": "private-url",
    "tcp://gpu-node7:29500": "private-url",
    "http://[::1]:80/": "private-url",
    "listening on 127.0.0.1": "private-address",
    "peer 192.168.4.20": "private-address",
    "host 10.0.3.4:22": "private-address",
    "master_addr=10.0.3.4": "private-address",
    "on gpu-7.local now": "private-name",
    "ip-10-0-1-2.ec2.internal": "private-name",
    "use localhost:6006": "loopback-name",
    "endpoint: node7:29400": "host-and-port",
    "by marlene@lab-north.org.": "email",
    '"author": "m.walker+x@uni-north.edu"': "email",
    "-----BEGIN OPENSSH PRIVATE KEY-----": "private-key",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----": "private-key",
    "mongodb+srv://me:hunter42x@db.example.org/x": "password-url",
    "https://oauth2:f8s7df6g5h4j@git.example.org/x": "password-url",
    "Authorization: Bearer f8s7df6g5h4jk3l2": "authorization-header",
    '{"username":"walker","key":"3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e3f"}': "kaggle-key",
    "password=hunter42": "secret-assignment",
    "  db_password: 'Tr0ub4dor&3'": "secret-assignment",
    "SECRET_KEY = 'k3j4h5g6f7d8s9a0'": "secret-assignment",
    "machine api.example.org login walker password f8s7df6g": "netrc-password",
    "AccountKey=" + "aB3dE5gH" * 8 + "==": "azure-storage-key",
}
NO_LEAKS = [
    "https://example.com/home/alice/page",
    "s3://bucket/home/alice/x",
    "./home/alice data/home/alice <project>/home/alice ${ROOT}/home/alice ~/home/alice",
    "/home/<user>/x /home/$USER/x /home/{user}/x /home/user/x /home/USERNAME /home/username/x /home/your_name/x /home/",
    "~/walks $HOME/walks %USERPROFILE%\\x /usr/lib/x /opt/conda/bin /tmp/x /etc/hosts /var/log/x /homework/a",
    "C:\\Windows\\System32 C:\\Users\\<name>\\x",
    "\\\\hline\\textbf \\\\alpha\\\\beta r'\\\\w+\\\\d'",
    "version 1.2.3.4, 10.2.1.3, driver 10.0.130.1, torch==2.5.1, 172.16, 0.0.0.0",
    "https://example.org:8443/x http://host:8080 https://huggingface.co 8.8.8.8:53",
    "threading.local self.local settings.local.json .env.local a/.local/share config.internal_key",
    "recall@5 mAP@0.5 wght@400 actions/checkout@v4 git@github.com:x/y user@example.com no-reply@lab.org icon@2x.png",
    "ssh://git@host.org/x https://me@git.example.org/x w@users.noreply.github.com",
    "-----BEGIN CERTIFICATE----- -----BEGIN PUBLIC KEY-----",
    "postgres://user:password@host/db redis://user:${REDIS_PASSWORD}@host https://user:<token>@host http://u:***@h",
    "wandb: sha 3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e",
    "commit 3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e sha256:" + "3f5b7c9d" * 8,
    '"token": "walking", "eos_token": "<|endoftext|>", "token_type": "bearer", "pad_token_id": 151643',
    "password: required, token: str, secret=None, api_key=os.environ['X'], passwd = getpass.getpass()",
    '"session_key": "walk_00012_left", "primary_key": "episode_17", "cache_key": "' + "ab12" * 10 + '"',
    "hf_transformers hf_model_name sk-learn sk-image AKIA asia in Asia",
    "sourcegraph commit 3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e3f5b7c9d1e",
    "linear: 0.1, 'twitter': '" + "3f5b7c9d" * 8 + "'",
    "uuid 3f2b8c1e-9a4d-4e6f-8b7a-1c2d3e4f5a6b heroku",
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", LEAKS)
def test_a_leak_is_found(text: str, engine: str) -> None:
    assert [span.rule for span in find_spans(text.encode(), engine=engine)] == [LEAKS[text]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", NO_LEAKS)
def test_no_leak_is_found(text: str, engine: str) -> None:
    data = text.encode()
    assert [(span.rule, data[span.start : span.end]) for span in find_spans(data, engine=engine)] == []


@pytest.mark.parametrize("kind", sorted(secrets_of(1)))
def test_every_kind_of_secret_is_found_whole(kind: str) -> None:
    for seed in range(20):
        secret = secrets_of(seed)[kind]
        data = told(kind, secret).encode()
        spans = [span for span in find_spans(data) if span.kind == "credential"]
        assert len(spans) == 1, spans
        assert data[spans[0].start : spans[0].end] == secret.encode()
        assert secret not in mask_credentials(data.decode())


@pytest.mark.parametrize("seed", range(3))
def test_files_of_machine_learning_raise_no_alarm(seed: int) -> None:
    for name, data in clean_files(1500, seed).items():
        assert [(name, span.rule, span.line) for span in find_spans(data)] == []


def test_files_of_machine_learning_raise_no_alarm_without_re2() -> None:
    for name, data in clean_files(100).items():
        assert [(name, span.rule, span.line) for span in find_spans(data, engine="re")] == []


PUBLIC = {rule["id"]: rule.get("regex", "") for rule in tomllib.loads(SOURCE.read_text("utf-8"))["rules"]}
FRAGMENTS = st.one_of(
    st.sampled_from([*LEAKS, *NO_LEAKS]),
    st.builds(
        lambda seed, kind: told(kind, secrets_of(seed)[kind]),
        st.integers(0, 50),
        st.sampled_from(sorted(secrets_of(1))),
    ),
    st.builds(
        lambda seed, kind: told(kind, secrets_of(seed)[kind])[:-5],
        st.integers(0, 50),
        st.sampled_from(sorted(secrets_of(1))),
    ),
    st.sampled_from(
        [
            "\n",
            '"',
            "\\n",
            " ",
            "=",
            ": ",
            "://",
            "@",
            "/home/",
            "hf_",
            "key",
            "token=",
            "\x0b",
            "\xa0",
            "\u017f",
            "\u212a",
            "\xe9",
        ]
    ),
    st.text(max_size=20),
)
TEXTS = st.lists(FRAGMENTS, max_size=12).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass"))


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_both_engines_find_the_same(data: bytes) -> None:
    wanted = Wanted(kinds=USUAL | {"phone"}, words=("Project Heron", "7090", "Größe"), names=("Ada",))
    assert find_spans(data, wanted, engine="re2") == find_spans(data, wanted, engine="re")


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=400), TEXTS)
def test_any_bytes_are_read(noise: bytes, data: bytes) -> None:
    for text in (noise, noise + data + noise):
        spans = find_spans(text)
        assert spans == find_spans(text, engine="re")
        assert all(0 <= span.start < span.end <= len(text) for span in spans)
        assert [span.line for span in spans] == [text.count(b"\n", 0, span.start) + 1 for span in spans]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 3 * LONG))
def test_the_pieces_of_a_stream_make_no_difference(seed: int, chunk: int) -> None:
    draw = random.Random(seed)
    parts = [*LEAKS, *NO_LEAKS, *(told(kind, text) for kind, text in secrets_of(3).items())]
    text = "\n".join(draw.choice(parts) + "x " * draw.randint(0, 400) for _ in range(120)).encode()
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        piece = text[at : at + min(size, draw.randint(1, size))]
        at += len(piece)
        return piece

    assert tuple(spans_of(read, chunk=chunk)) == find_spans(text)


def test_words_of_a_policy_in_any_case() -> None:
    wanted = Wanted(words=("Project Heron", "7090", "Größe"))

    def words(text: str) -> list[str]:
        return [span.rule for span in find_spans(text.encode(), wanted) if span.kind == "word"]

    assert words("PROJECT_HERON, project-heron, Project Heron") == ["word-1"] * 3
    assert words("projectheron") == ["word-1"]
    assert words("project herons, subproject heron") == []
    assert words("RTX 7090, rtx7090, frame 7090, 7090") == ["word-2"] * 2
    assert words("GRÖSSE, größe, GRÖßE") == ["word-3"] * 3


def test_nothing_of_a_leak_is_in_its_description() -> None:
    for kind, secret in secrets_of(9).items():
        for span in find_spans(told(kind, secret).encode()):
            assert not any(
                secret[i : i + 4] in f"{span.shown}{span.rule}" for i in range(len(secret) - 4) if secret[i].isdigit()
            )
            assert len(span.mark) == 4


def test_crafted_text_does_not_stop_the_scan() -> None:
    spans = find_spans(b"a@b.cd " * 30_000 + b"/home/alice/x")
    assert [span.rule for span in spans] == ["email"] * 10_000 + ["home-path"]


def test_the_vendored_rules_are_current() -> None:
    assert TARGET.read_text("utf-8") == rule_data()
    notice = TARGET.with_name("NOTICE").read_text("utf-8")
    assert "Copyright (c) 2019 Zachary Rice" in notice
    assert "MIT License" in notice


def test_every_public_rule_keeps_its_keywords_and_threshold() -> None:
    source = {rule["id"]: rule for rule in tomllib.loads(SOURCE.read_text("utf-8"))["rules"]}
    assert len(vendored().rules) > 200
    for rule in vendored().rules:
        assert rule.keywords, rule.id
        assert list(rule.keywords) == source[rule.id]["keywords"]
        assert rule.entropy == source[rule.id].get("entropy", 0)


@settings(deadline=None, max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(st.data())
@pytest.mark.parametrize("rule", [rule for rule in vendored().rules if "curl" not in rule.id], ids=lambda rule: rule.id)
def test_a_rewritten_pattern_matches_what_the_public_one_does(rule: VendoredRule, data: st.DataObject) -> None:
    public = PUBLIC[rule.id]
    matching = data.draw(st.from_regex(re.compile(rule.pattern.replace("\\z", "\\Z"), re.ASCII), fullmatch=True))
    text = b"x = " + matching.encode("ascii", "replace") + data.draw(st.sampled_from([b"", b" ", b"\n", b"'", b"z"]))
    expected = [(match.start(), match.end()) for match in re2.compile(public.encode()).finditer(text)]
    for engine in ENGINES:
        assert [(m.start(), m.end()) for m in compiled(rule.pattern, engine).finditer(text)] == expected


def test_every_detector_can_be_reached_by_its_anchor() -> None:
    names = [detector.id for detector in credential_detectors()]
    assert len(names) == len(set(names))
    assert all(detector.anchors for detector in credential_detectors())


@pytest.mark.parametrize(
    "name", ["token", "hf_token", "HF_TOKEN", "api_key", "password", "client_secret", "credential"]
)
@pytest.mark.parametrize("form", ["{}: {}", "{}={}", '"{}": "{}"', "{}: '{}'\n", "export {}={}\n"])
@pytest.mark.parametrize("engine", ["re2", "re"])
def test_a_telling_name_does_not_hide_the_token_beside_it(name: str, form: str, engine: Engine) -> None:
    letters = "".join(chr(97 + at * 7 % 26) for at in range(34))
    for token in (f"hf_{letters}", f"ghp_{letters}01"):
        data = form.format(name, token).encode()
        found = [data[span.start : span.end] for span in find_spans(data, engine=engine) if span.kind == "credential"]
        assert any(token.encode() in text for text in found), data


def test_a_key_in_a_call_is_found() -> None:
    key = "29548fa91200314bd807d4b6ab0553854edd3aae"
    (span,) = find_spans(f'wandb.login(key="{key}")'.encode())
    assert (span.rule, span.end - span.start) == ("wandb-key", 40)
