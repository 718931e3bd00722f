"""Roles and contracts to typed facts, read lazily and once."""
