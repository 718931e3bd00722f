"""One small file per format, all ``render(report) -> str``."""
