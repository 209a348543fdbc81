"""How a file is told to be a backup: by the manifest beside it."""

from __future__ import annotations

import json
from pathlib import Path
from shlex import quote

from db.errors import DatabaseError

FORMAT = "llm-arena backup"
LARGEST_MANIFEST = 2**24  # bytes


def manifest_path(file: Path) -> Path:
    """Where the manifest of a backup is."""
    return file.with_name(f"{file.name}.json")


def refuse_backup(file: Path) -> None:
    """Raises DatabaseError for a file beside which a manifest says that it is a backup: opened as
    a database it would no longer have the bytes that the manifest tells, and could not be
    restored."""
    place = manifest_path(file)
    try:
        with place.open("rb") as opened:
            said = json.loads(opened.read(LARGEST_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(said, dict) and said.get("format") == FORMAT:
        raise DatabaseError(
            f"{file} is a backup, which stays as it was written: `arena db restore "
            f"{quote(str(file))} --db NEW.db` makes a database of it; give that one"
        )
