"""Where the files of transcripts of a database are."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL


def transcripts_folder(url: URL) -> Path:
    """The folder of a database's transcripts: of a file beside it, of a server where the command is
    typed."""
    if url.drivername == "sqlite":
        return Path(f"{url.database}-transcripts")
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", url.database or "arena")
    return Path.cwd() / f"{name}-transcripts"


def written_name(url: URL, path: Path) -> str:
    """What a row says of a file: its name where its folder is that beside an SQLite file, which may
    be moved with it, else its whole path."""
    beside = url.drivername == "sqlite" and path.parent == transcripts_folder(url)
    return path.name if beside else str(path.absolute())


def path_of(url: URL, file: str) -> Path:
    """The file that a row names."""
    found = Path(file)
    return found if found.is_absolute() else transcripts_folder(url) / found


def new_path(folder: Path, at: datetime) -> Path:
    """A name that no file in the folder has."""
    stem = f"{at:%Y-%m-%d}"
    number = 1
    while True:
        path = folder / f"{stem}-{number:04d}.parquet"
        if not path.exists() and not path.with_name(path.name + ".partial").exists():
            return path
        number += 1
