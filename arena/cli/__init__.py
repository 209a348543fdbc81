"""The command line: one module per command, and nothing heavy imported before it is needed."""

from __future__ import annotations

import gc
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """The entry point `arena`."""
    try:
        _main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            # What is left is to leave: a further Ctrl-C would only print a traceback.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise


def _main() -> None:
    # Nothing that is made while the commands are imported becomes garbage; looking for it then
    # is a tenth of what `--help` costs. A command that runs switches it on again.
    gc.disable()
    from arena.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    app()
