"""omnicheck proves that a directory of ML results is what it says it is."""

__version__ = "0.1.0"
