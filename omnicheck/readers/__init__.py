"""Bytes to plain values: bounded, never executing."""
