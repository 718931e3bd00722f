"""Recognisers of formats: each looks at bytes and yields the kinds that they structurally are."""
