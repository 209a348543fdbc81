"""The exit codes that no error says by itself; all of them are listed in `arena.cli.app`."""

INTERRUPTED = 130
