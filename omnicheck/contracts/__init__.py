"""Models of contracts, and the registry that finds them."""
