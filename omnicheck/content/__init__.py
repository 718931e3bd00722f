"""Bytes to what they are: sniffing, digests."""
