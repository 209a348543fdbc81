"""What went wrong where nobody expected it, for whoever started the server."""

from __future__ import annotations

import sys
import traceback

from arena.core.text import visible


def print_traceback() -> None:
    """Print the exception that is being handled; a model's words in it do nothing to a terminal."""
    sys.stderr.write(visible(traceback.format_exc(), keep="\n\t"))
