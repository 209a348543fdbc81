"""The command line: one module per command, and nothing heavy imported before it is needed."""

from __future__ import annotations

import gc
import os
import signal
import sys

from arena.cli.exit_codes import INTERRUPTED

# Ratings are made with small matrices: threads that wait for each other make them ten times slower
# on a busy machine. Read when the linear algebra is loaded, so said before anything is.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


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
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
    from arena.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    app()
