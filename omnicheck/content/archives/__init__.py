"""Readers of archives and compressed streams: bounded, never executing, telling what contradicts itself."""
