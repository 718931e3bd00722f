"""Rule index, plan, cache, verdict."""
