"""JSON Schemas of the layers of a signature, written from the text of OpenSSF Model Signing v1.0 (sections 4 to 6)."""

from __future__ import annotations

from typing import Any

HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
BASE64 = {"type": "string", "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"}

ENVELOPE: dict[str, Any] = {
    "type": "object",
    "required": ["payload", "payloadType", "signatures"],
    "properties": {
        "payload": BASE64,
        "payloadType": {"const": "application/vnd.in-toto+json"},
        "signatures": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["sig"],
                "properties": {"sig": BASE64, "keyid": {"enum": ["", None]}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}

BUNDLE: dict[str, Any] = {
    "type": "object",
    "required": ["mediaType", "verificationMaterial", "dsseEnvelope"],
    "properties": {
        "mediaType": {"const": "application/vnd.dev.sigstore.bundle.v0.3+json"},
        "verificationMaterial": {
            "type": "object",
            "required": ["publicKey"],
            "properties": {
                "publicKey": {"type": "object", "required": ["hint"], "properties": {"hint": HEX}},
                "tlogEntries": {"type": "array"},
            },
        },
        "dsseEnvelope": ENVELOPE,
    },
    "additionalProperties": False,
}

PREDICATE: dict[str, Any] = {
    "type": "object",
    "required": ["resources", "serialization"],
    "properties": {
        "resources": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "digest", "algorithm"],
                "properties": {
                    "name": {"type": "string", "minLength": 1, "pattern": r"^(?!/)(?!.*(^|/)\.{0,2}(/|$)).+$"},
                    "digest": HEX,
                    "algorithm": {"enum": ["sha256", "blake2b", "blake3"]},
                },
            },
        },
        "serialization": {
            "type": "object",
            "required": ["method", "hash_type", "allow_symlinks"],
            "properties": {
                "method": {"type": "string", "pattern": "^(files|file-shard-[0-9]+)$"},
                "hash_type": {"enum": ["sha256", "blake2b", "blake3"]},
                "allow_symlinks": {"type": "boolean"},
                "ignore_paths": {"type": "array", "items": {"type": "string", "pattern": r"^[^*?\[/][^*?\[]*$"}},
            },
        },
    },
    "additionalProperties": False,
}

STATEMENT: dict[str, Any] = {
    "type": "object",
    "required": ["_type", "subject", "predicateType", "predicate"],
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "subject": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "digest"],
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "digest": {"type": "object", "required": ["sha256"], "properties": {"sha256": HEX}},
                },
            },
        },
        "predicateType": {"const": "https://model_signing/signature/v1.0"},
        "predicate": PREDICATE,
    },
    "additionalProperties": False,
}
