"""Writes files that are the user's own: what may be sent where, and what may be started."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from arena.core import UsageError


def write_private(file: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write the rows as JSON, whole or not at all, into a file that only the user can read, whose
    folder is made where it is missing. Raises UsageError."""
    text = json.dumps([[*row] for row in rows], indent=1) + "\n"
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        partial.replace(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror or error}") from error
