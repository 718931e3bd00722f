"""The command table: a command's module is imported only when that command is asked for."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import typer

from omnicheck import __version__
from omnicheck.model.errors import OmnicheckError

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("omnicheck.cli.check:check", "Check result directories and give a verdict."),
    "package": ("omnicheck.cli.package:package", "Make a signed bundle of a run that is safe to publish."),
    "verify": ("omnicheck.cli.verify:verify", "Verify that a bundle is what a key signed."),
    "explain": ("omnicheck.cli.explain:explain", "Print the page of a rule."),
    "rules": ("omnicheck.cli.rules:rules", "List the rules."),
    "contracts": ("omnicheck.cli.contracts:app", "List, show, validate and scaffold contracts."),
    "merge": ("omnicheck.cli.merge:merge", "Merge the shards of an evaluation and recompute its metrics."),
    "index": ("omnicheck.cli.index:index", "Write the model-neutral window index of a dataset."),
    "baseline": ("omnicheck.cli.baseline:baseline", "Write today's findings down so that only new ones block."),
    "init": ("omnicheck.cli.init:init", "Propose a configuration for a repository."),
    "schema": ("omnicheck.cli.schema:schema", "Print a JSON schema."),
}
"""Name to (module:attribute, one line of help)."""


def build(wanted: str | None) -> typer.Typer:
    """Return the application with ``wanted`` loaded and the other commands as names with help only."""
    app = typer.Typer(
        name="omnicheck",
        help="Prove that a directory of ML results is what it says it is.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, (target, help_) in COMMANDS.items():
        if wanted in (name, "*"):
            module, _, attribute = target.partition(":")
            found = getattr(import_module(module), attribute)
            if isinstance(found, typer.Typer):
                app.add_typer(found, name=name, help=help_)
            else:
                app.command(name, help=help_ if not found.__doc__ else None)(found)
        else:
            app.command(name, help=help_)(_unloaded)
    return app


def run() -> None:
    """Run the command line; every error of ours is told in words, with exit code 2."""
    arguments = sys.argv[1:]
    completing = any(key.startswith("_") and key.endswith("_COMPLETE") for key in os.environ)
    wanted = "*" if completing else next((word for word in arguments if not word.startswith("-")), None)
    try:
        build(wanted)()
    except OmnicheckError as error:
        sys.stderr.write(f"omnicheck: {error}\n")
        raise SystemExit(2) from None
    except BrokenPipeError:
        # The reader went away (`| head`): not an error, and nothing more can be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        sys.stderr.write("omnicheck: interrupted\n")
        raise SystemExit(2) from None


def _unloaded() -> None:
    """Stand in for a command that was not asked for."""


def _version(value: bool) -> None:
    if value:
        typer.echo(f"omnicheck {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", "-V", help="Print the version.", callback=_version, is_eager=True),
) -> None:
    """Prove that a directory of ML results is what it says it is."""
