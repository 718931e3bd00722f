"""Made-up secrets of every kind, and a run that is full of them."""

from __future__ import annotations

import io
import json
import random
import string
from pathlib import Path
from typing import Any

import numpy as np

from tests.make_fixtures.secrets import png, safetensors

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def secrets_of(seed: int) -> dict[str, str]:
    """Return one secret of each kind, by kind."""
    draw = random.Random(seed)

    def some(count: int, letters: str = ALNUM) -> str:
        return "".join(draw.choice(letters) for _ in range(count))

    return {
        "huggingface": "hf_" + some(34, string.ascii_letters),
        "github": "ghp_" + some(36),
        "gitlab": "glpat-" + some(20),
        "aws": "AKIA" + some(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
        "aws_secret": some(40, ALNUM + "/+"),
        "openai": "sk-proj-" + some(48),
        "anthropic": "sk-ant-api03-" + some(40),
        "slack": "xoxb-" + some(12, "0123456789") + "-" + some(12, "0123456789") + "-" + some(24),
        "stripe": "sk_live_" + some(24),
        "npm": "npm_" + some(36),
        "jwt": "eyJ" + some(20) + ".eyJ" + some(40) + "." + some(43),
        "wandb": some(40, HEX),
        "comet": some(25),
        "password": some(12) + "7q",
        "url_password": some(14) + "5z",
        "pem": "-----BEGIN RSA PRIVATE KEY-----\n"
        + "\n".join(some(64) for _ in range(4))
        + "\n-----END RSA PRIVATE KEY-----",
        "telegram": some(9, "123456789") + ":AA" + some(33),
        "google": "AIza" + some(35),
        "sendgrid": "SG." + some(22) + "." + some(43),
        "azure": some(86, ALNUM + "+/") + "==",
    }


def told(kind: str, secret: str) -> str:
    """Return a line of text that holds a secret as people write it."""
    return {
        "aws_secret": f"aws_secret_access_key = {secret}",
        "wandb": f"WANDB_API_KEY={secret}",
        "comet": f"COMET_API_KEY: {secret}",
        "password": f'"password": "{secret}"',
        "url_password": f"redis://worker:{secret}@cache.example.org:6379/0",
        "azure": f"DefaultEndpointsProtocol=https;AccountName=walks;AccountKey={secret};",
    }.get(kind, f"using {secret} now")


def plant(root: Path, secrets: dict[str, str]) -> None:
    """Write a run whose files, names of files, keys and values hold the secrets."""
    root.mkdir(parents=True)
    lines = [told(kind, secret) for kind, secret in secrets.items()]
    everything = "\n".join(lines) + "\n"
    keys: dict[str, Any] = {f"note {secret}": 1 for kind, secret in secrets.items() if kind not in UNMARKED}
    row = {"sample_id": "s1", "episode_id": "e1", "label": "a", "prediction": "a"}
    (root / "metrics.json").write_text(
        json.dumps(
            {
                "accuracy": f"token {secrets['huggingface']}",
                "num_samples": secrets["github"],
                "eval_split": everything,
                "api_key": secrets["password"],
                "password": secrets["password"],
                "macro_f1": secrets["password"],
                "num_episodes": secrets["wandb"],
                **keys,
            }
        )
    )
    rows = [
        row | {"sample_id": secrets["aws"], "label": secrets["openai"], "raw_text": everything},
        row | {"sample_id": secrets["aws"], "prediction": secrets["jwt"]},
        row | {"episode_id": told("url_password", secrets["url_password"]), "split": secrets["npm"]},
    ]
    (root / "predictions.jsonl").write_text(
        "".join(json.dumps(each) + "\n" for each in rows) + '{"broken": "' + everything
    )
    (root / "predictions.csv").write_text("sample_id,label,prediction\n" + f"{secrets['aws']},a,{secrets['stripe']}\n")
    (root / "training_metadata.json").write_text(
        json.dumps(
            {
                "backbone": secrets["gitlab"],
                "lora": {"r": secrets["google"]},
                "checkpoint_dir": f"/home/x/{secrets['github']}",
            }
        )
    )
    (root / "progress.jsonl").write_text(json.dumps({"event": secrets["openai"], "timestamp": secrets["slack"]}) + "\n")
    (root / "run.log").write_text(everything)
    (root / "RUN_REPORT.md").write_text(
        f"# Report\n\n| metric | value |\n|---|---|\n| accuracy | {secrets['stripe']} |\n\n{everything}"
    )
    (root / "config.yaml").write_text(
        "\n".join(f"k{i}: |\n  {line}" for i, line in enumerate(lines)).replace("\n-----", "\n  -----")
    )
    (root / "utf16.txt").write_bytes(everything.encode("utf-16"))
    (root / "adapter_model.safetensors").write_bytes(safetensors({"notes": everything, "api_key": secrets["password"]}))
    (root / "plot.png").write_bytes(png((b"tEXt", b"Comment\0" + everything.encode())))
    cell = {"cell_type": "code", "source": [everything], "outputs": [{"output_type": "stream", "text": [everything]}]}
    (root / "look.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}))
    buffer = io.BytesIO()
    np.savez(buffer, notes=np.array(lines), x=np.zeros(3))
    (root / "arrays.npz").write_bytes(buffer.getvalue())
    for kind in ("github", "huggingface", "aws", "openai", "slack"):
        (root / f"copy_{secrets[kind]}.json").write_text("{}")
        (root / f"metrics_{secrets[kind]}.json").write_text('{"accuracy": 2}')
    folder = root / secrets["gitlab"]
    folder.mkdir()
    (folder / "metrics.json").write_text('{"accuracy": "x"}')


UNMARKED = frozenset({"aws_secret", "wandb", "comet", "password", "url_password", "azure"})
"""Kinds that only their place gives away."""
