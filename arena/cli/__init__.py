"""The command line: one module per command, and nothing heavy imported before it is needed."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress

from arena.cli.exit_codes import INTERRUPTED

# Ratings are made with small matrices: threads that wait for each other make them ten times slower
# on a busy machine. Read when the linear algebra is loaded, so said before anything is.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    """The entry point `arena`."""
    _open_streams()
    _leave_no_memory()
    try:
        _main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            # What is left is to leave: a further Ctrl-C would only print a traceback.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        _end_if_stuck()
        _end_beside_threads(end.code)
        raise
    except OSError as error:
        if error.filename is None:
            _end_if_stuck(b"\n")
        raise


def _open_streams() -> None:
    """A stream that was closed before the start is None, and its number would be given to the first
    file that is opened."""
    closed = sys.stdout is None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
    if closed:
        sys.stderr.write("error: standard output is closed, and nothing was done: open it\n")
        sys.exit(2)


def _leave_no_memory() -> None:
    """A crash writes no core file: it would hold the keys that are in memory."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        # Too little for a core, and the one limit that Linux also heeds where a program takes it
        # (core(5), `|` in core_pattern): that it would be given whatever 0 says.
        resource.setrlimit(resource.RLIMIT_CORE, (1 if most else 0, most))


def _end_if_stuck(probe: bytes = b"") -> None:
    """End in a line where standard output does not take what was printed, or, where nothing is
    waiting to be written, the `probe`."""
    try:
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), probe)
    except OSError as error:
        # Python flushes it once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            reason = error.strerror or error
            with suppress(OSError):
                sys.stderr.write(f"error: standard output cannot be written: {reason}\n")
        sys.exit(1)


def _end_beside_threads(code: object) -> None:
    """End with this code at once where a thread was left behind that would bring the process down
    while Python ends."""
    threads = sys.modules.get("arena.core.threads")
    if threads is not None and threads.is_left_behind():
        import logging

        logging.shutdown()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else code is not None)


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
