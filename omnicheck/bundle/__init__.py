"""Bundles: what of a run may be published, redacted, sealed and signed."""
