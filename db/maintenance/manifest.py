"""The manifest beside a backup: what it is a copy of, and how to tell that it is whole.

It is a JSON file that has the backup's name and `.json` behind it. It is there before the backup
has its name: a backup without one has lost it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from db.backup_files import FORMAT, LARGEST_MANIFEST, manifest_path
from db.errors import Damaged, DatabaseError

VERSION = 1

_SHA256 = re.compile("[0-9a-f]{64}")

Backend = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: of which database (as people may see it), of which kind and revision,
    made when, its bytes and their SHA-256 in hexadecimal, the rows of each table, the schema of a
    server in which the tables were, None for a file, and by what rows say of a file of transcripts
    the SHA-256 of the copy that was kept of it, None where there was nothing to copy."""

    database: str
    kind: Backend
    revision: str
    created_at: datetime
    bytes: int
    sha256: str
    rows: Mapping[str, int]
    schema: str | None = None
    transcripts: Mapping[str, str | None] = field(default_factory=dict)

    def check(self, file: Path, *, of: Path | None = None) -> None:
        """Raises Damaged unless a file has the bytes that were written; messages name the backup
        that it is a copy `of`."""
        size = file.stat().st_size
        if size != self.bytes:
            found = f"it has {size:,} bytes, and was written with {self.bytes:,}"
        elif checksum(file) != self.sha256:
            found = "its bytes are not those that were written"
        else:
            return
        raise Damaged(f"the backup {of or file} is damaged ({found}): use another one")


def checksum(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def write_manifest(file: Path, manifest: Manifest) -> None:
    """Put a manifest beside a backup, whole or not at all."""
    target = manifest_path(file)
    partial = target.with_name(f"{target.name}.partial")
    said = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
    said["created_at"] = manifest.created_at.isoformat()
    try:
        partial.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        partial.chmod(0o600)
        settle(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def settle(partial: Path, target: Path) -> None:
    """Give a file its name once it is on disk, in the place of what had the name."""
    with partial.open("rb") as opened:
        os.fsync(opened.fileno())
    partial.replace(target)
    # Not every system lets a folder be opened.
    with suppress(OSError):
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_manifest(file: Path) -> Manifest:
    """The manifest of a backup. Raises DatabaseError where there is no backup, no manifest, or
    none that can be read."""
    place = manifest_path(file)
    if not file.is_file():
        raise DatabaseError(f"there is no backup {file}: give the path of a file")
    if not place.is_file():
        raise DatabaseError(
            f"{place} is missing, which says what {file.name} held and its checksum: put it back "
            "beside it; a database file that is no backup is copied by `arena db copy`"
        )
    with place.open("rb") as opened:
        said = opened.read(LARGEST_MANIFEST + 1)
    try:
        return _read(json.loads(said[:LARGEST_MANIFEST]))
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        AssertionError,
    ) as error:
        raise DatabaseError(
            f"{place} is no manifest of a backup: put the one back that `arena db backup` wrote"
        ) from error


def _read(said: Any) -> Manifest:
    if said["format"] != FORMAT or not isinstance(said["version"], int):
        raise ValueError
    if said["version"] > VERSION:
        raise DatabaseError(
            f"the backup was made by a later release (its manifest is of version "
            f"{said['version']}): upgrade the arena (pip install --upgrade llm-arena)"
        )
    texts = ("database", "kind", "revision", "created_at", "sha256")
    if not all(isinstance(said[name], str) for name in texts):
        raise TypeError
    if said["kind"] not in ("sqlite", "postgresql") or not isinstance(said["bytes"], int):
        raise ValueError
    rows = said["rows"]
    if not all(isinstance(count, int) for count in rows.values()):
        raise TypeError
    if not isinstance(said["schema"], str | None):
        raise TypeError
    # Manifests of earlier releases have none.
    transcripts = said.get("transcripts", {})
    if not all(isinstance(sha256, str | None) for sha256 in transcripts.values()):
        raise TypeError
    if not all(_SHA256.fullmatch(sha256) for sha256 in transcripts.values() if sha256 is not None):
        raise ValueError
    return Manifest(
        said["database"], said["kind"], said["revision"],
        datetime.fromisoformat(said["created_at"]), said["bytes"], said["sha256"], dict(rows),
        said["schema"], dict(transcripts),
    )  # fmt: skip


def backups_of(database: str, folder: Path) -> Iterator[tuple[Path, Manifest]]:
    """The backups of a database in a folder, the newest first, with their manifests; files that
    are none are passed over."""
    found = []
    for place in folder.glob("*.json"):
        file = place.with_suffix("")
        with suppress(DatabaseError, OSError):
            manifest = read_manifest(file)
            if manifest.database == database:
                found.append((manifest.created_at, file, manifest))
    for _, file, manifest in sorted(found, key=lambda each: each[:2], reverse=True):
        yield file, manifest
