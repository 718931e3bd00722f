"""Inventory, roles, contract resolution."""
