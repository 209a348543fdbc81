"""The command line: one module per command, and nothing heavy imported before it is needed."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """The entry point `arena`."""
    # Nothing that is made while the commands are imported becomes garbage; looking for it then
    # is a tenth of what `--help` costs. A command that runs switches it on again.
    gc.disable()
    from arena.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    app()
