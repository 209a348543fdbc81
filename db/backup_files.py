"""How a file is told to be a backup: by the manifest beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path

FORMAT = "llm-arena backup"
LARGEST_MANIFEST = 2**24  # bytes


def manifest_path(file: Path) -> Path:
    """Where the manifest of a backup is."""
    return file.with_name(f"{file.name}.json")


def is_backup(file: Path) -> bool:
    """Whether a manifest beside a file says that it is a backup. One is only read: written to, it
    would no longer have the bytes that the manifest tells, and could not be restored."""
    # By a link to it, too.
    place = manifest_path(Path(os.path.realpath(file)) if file.is_symlink() else file)
    try:
        with place.open("rb") as opened:
            said = json.loads(opened.read(LARGEST_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("format") == FORMAT
