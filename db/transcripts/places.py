"""Where the files of transcripts of a database are."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL

from db.errors import Damaged


def transcripts_folder(url: URL) -> Path:
    """The folder of a database's transcripts: of a file beside it, of a server where the command is
    typed."""
    if url.drivername == "sqlite":
        # Of one folder, by whatever link the file is opened.
        file = Path(str(url.database))
        return Path(f"{os.path.realpath(file) if file.is_symlink() else file}-transcripts")
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", url.database or "arena")
    return Path.cwd() / f"{name}-transcripts"


def written_name(url: URL, path: Path) -> str:
    """What a row says of a file: its name where its folder is that beside an SQLite file, which may
    be moved with it, else its whole path."""
    beside = url.drivername == "sqlite" and path.parent == transcripts_folder(url)
    return path.name if beside else str(path.absolute())


def path_of(url: URL, file: str) -> Path:
    """The file that a row names. Raises Damaged for a name that leads out of the folder: nothing
    of ours writes one."""
    found = Path(file)
    if found.is_absolute():
        return found
    folder = transcripts_folder(url)
    if found.name != file:
        raise Damaged(
            f"the database names {file[:60]!r} as a file of transcripts, which is no name in "
            f"{folder}: the arena wrote none like it, so trust nothing else in it either"
        )
    if not (folder / found).exists():
        # Earlier releases put them beside the link by which a file was opened.
        beside = Path(f"{url.database}-transcripts") / found
        if url.drivername == "sqlite" and beside.exists():
            return beside
    return folder / found


def new_path(folder: Path, at: datetime) -> Path:
    """A name that no file in the folder has."""
    stem = f"{at:%Y-%m-%d}"
    number = 1
    while True:
        path = folder / f"{stem}-{number:04d}.parquet"
        if not path.exists() and not path.with_name(path.name + ".partial").exists():
            return path
        number += 1
