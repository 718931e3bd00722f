"""Files as machine learning leaves them, full of digests, floats and base64: nothing in them is a leak."""

from __future__ import annotations

import base64
import json
import random
from hashlib import sha1, sha256
from itertools import pairwise


def clean_files(rows: int = 300, seed: int = 7) -> dict[str, bytes]:
    """Return files by name."""
    draw = random.Random(seed)
    words = [
        "".join(draw.choice("abcdefghijklmnopqrstuvwxyzĠ▁") for _ in range(draw.randint(2, 11)))
        for _ in range(rows * 20)
    ]

    def digest(n: int) -> str:
        return sha256(f"{seed}{n}".encode()).hexdigest()

    jsonl = [
        {
            "sample_id": f"walk_{i:05d}",
            "sha256": digest(i),
            "md5": digest(i)[:32],
            "git_commit": sha1(str(i).encode(), usedforsecurity=False).hexdigest(),
            "uuid": f"{digest(i)[:8]}-{digest(i)[8:12]}-4{digest(i)[13:16]}-a{digest(i)[17:20]}-{digest(i)[20:32]}",
            "frames": [4090 + i, 4109 + i],
            "timestamp": 1_718_000_000.123 + i,
            "time": "2026-06-12T10:15:33.123456+00:00",
            "thumbnail": "data:image/png;base64," + base64.b64encode(draw.randbytes(600)).decode(),
            "features": base64.b64encode(draw.randbytes(400)).decode(),
            "urlsafe": base64.urlsafe_b64encode(draw.randbytes(300)).decode(),
            "image_url": f"https://example.org/images/{digest(i)[:16]}.jpg?size=640",
            "feature_path": f"features/home/{i}.npz",
            "token_ids": [draw.randrange(150_000) for _ in range(30)],
            "token": words[i],
            "cache_key": digest(i + 1),
            "caption": "the person at home picks up a key, opens the secret drawer: linear, coherent motion @ 30 fps",
        }
        for i in range(rows)
    ]
    manifest = {
        "files": {f"shard_{i:05d}.tar": {"sha256": digest(i), "size": 10_000 + i} for i in range(rows)},
        "linear.json": digest(1)[:32],
        "twitter_train.jsonl": digest(2),
        "sentry": digest(3),
        "confluent.bin": digest(4),
        "datadog.npz": digest(5)[:40],
        "algolia.txt": digest(6)[:32],
        "versions": {"torch": "2.5.1+cu124", "driver": "10.2.89.1", "tool": "1.2.3.4", "os": "10.0.130.1"},
    }
    tokenizer = {
        "added_tokens": [{"id": i, "content": f"<|reserved_{i}|>", "special": True} for i in range(20)],
        "pad_token": "<|endoftext|>",
        "eos_token": "</s>",
        "unk_token": "[UNK_TOKEN_1]",
        "model": {
            "vocab": {word + str(i % 7): i for i, word in enumerate(words)},
            "merges": [f"{a} {b}" for a, b in pairwise(words)],
        },
    }
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "source": ["import torch\n", "print(metrics['recall@5'])\n", "@torch.no_grad()\n", "def f(): ...\n"],
                "outputs": [
                    {
                        "output_type": "display_data",
                        "data": {"image/png": base64.b64encode(draw.randbytes(3000)).decode()},
                    }
                ],
            }
        ],
        "metadata": {"kernelspec": {"name": "python3"}},
        "nbformat": 4,
    }
    csv = "id,x,y,sha256\n" + "".join(
        f"{i},{draw.random()!r},{draw.gauss(0, 1e4)!r},{digest(i)}\n" for i in range(rows)
    )
    log = "".join(
        f"2026-06-12 10:15:{i % 60:02d},{i % 1000:03d} INFO step={i} loss={draw.random():.6f} tokens=12345.6\n"
        f'  File "/usr/lib/python3.11/site-packages/torch/nn/modules/linear.py", line {i}, in forward\n'
        for i in range(rows)
    )
    config = (
        "model: base-7b\nsecret: false\ntoken: null\npassword: ${oc.env:DB_PASSWORD}\napi_key: ${API_KEY}\n"
        "output_dir: $HOME/runs\nhome: /home/<user>/x\nother: /home/user/x\nu: actions/checkout@v4\n"
        "font: wght@400\nremote: git@github.com:w/w.git\nmail: noreply@example.com\nkey: walk_000123_left_hand\n"
        "image: nvcr.io/nvidia/pytorch:24.05-py3\nurl: https://huggingface.co/org/model/tree/main?download=true\n"
        "secret_key: YOUR_SECRET_KEY\nhf_token: hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\npassword: required\n"
        "max_new_tokens: 512\ntokenizer_key: 'abc'\nauth: none\nport: 8000\nref: s3://bucket/home/walks/1.tar\n"
    )
    code = (
        'password = os.environ["DB_PASSWORD"]\ntoken = get_token(name)\napi_key = config.api_key\nself.secret = s\n'
        "parser.add_argument('--token', default=None)\nkey: Optional[str] = None\nlambda x: x@y.T\n"
        r"re.compile(r'\\w+\\d+\\s')" + "\n" + r"\\hline \\alpha\\beta $\\frac{1}{2}$" + "\n"
    )
    return {
        "dataset.jsonl": "".join(json.dumps(row) + "\n" for row in jsonl).encode(),
        "manifest.json": json.dumps(manifest, indent=1).encode(),
        "tokenizer.json": json.dumps(tokenizer).encode(),
        "look.ipynb": json.dumps(notebook).encode(),
        "table.csv": csv.encode(),
        "train.log": log.encode(),
        "config.yaml": config.encode(),
        "train.py.txt": code.encode(),
    }
