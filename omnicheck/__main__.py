"""The command line's entry; ``--version`` is answered before anything else is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from omnicheck import __version__  # noqa: PLC0415 - nothing more is needed

        sys.stdout.write(f"omnicheck {__version__}\n")
        return
    from omnicheck.cli.app import run  # noqa: PLC0415 - see above

    run()


if __name__ == "__main__":
    main()
