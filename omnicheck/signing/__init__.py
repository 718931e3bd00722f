"""Signatures over directories: names that are safe to sign, digests, DSSE, OpenSSF Model Signing."""
