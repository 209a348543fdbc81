"""Copies of the files of transcripts that archived games need, for a backup or another database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, text

from db.errors import UnwritablePath
from db.maintenance.manifest import Manifest, checksum, settle
from db.transcripts.files import is_transcript_file
from db.transcripts.places import path_of, transcripts_folder, written_name

FILES = "SELECT DISTINCT file FROM archived_games ORDER BY file"


@dataclass(frozen=True, slots=True)
class TranscriptSource:
    """A file to copy: what rows say of it, where it is, and the SHA-256 that it must have, None for
    whatever it has."""

    file: str
    path: Path
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class BroughtTranscripts:
    """By what rows say of a file, what they have to say of its copy; and a sentence for each file
    that could not be copied."""

    names: Mapping[str, str]
    lost: tuple[str, ...]

    def write(self, connection: Connection) -> None:
        """Let the rows of a database name the copies."""
        if all(old == new for old, new in self.names.items()):
            return
        found = connection.execute(text("SELECT game_id, file FROM archived_games")).all()
        changed = [
            {"game": game_id, "file": self.names[file]}
            for game_id, file in found
            if self.names.get(file, file) != file
        ]
        connection.execute(
            text("UPDATE archived_games SET file = :file WHERE game_id = :game"), changed
        )


def sources_of(connection: Connection, url: URL) -> list[TranscriptSource]:
    """The files that the archived games of a database need."""
    files = connection.execute(text(FILES)).scalars()
    return [TranscriptSource(file, path_of(url, file)) for file in files]


@contextmanager
def bringing(sources: Iterable[TranscriptSource], url: URL) -> Iterator[BroughtTranscripts]:
    """Copy files into the folder of a database's transcripts; what was copied is removed when the
    block raises. A file that is there already is never written over.

    Raises UnwritablePath where the folder cannot be written.
    """
    folder = transcripts_folder(url)
    names: dict[str, str] = {}
    lost: list[str] = []
    made: list[Path] = []
    try:
        for source in sources:
            found = _checked(source)
            if isinstance(found, _Lost):
                lost.append(found.sentence)
                continue
            with _writable(folder):
                target = _free(folder, Path(source.file), found)
                if not target.exists():
                    _copy(source.path, target)
                    made.append(target)
            names[source.file] = written_name(url, target)
        yield BroughtTranscripts(names, tuple(lost))
    except BaseException:
        _remove(made, folder)
        raise


@contextmanager
def keeping(files: Iterable[str], url: URL, folder: Path) -> Iterator[BroughtTranscripts]:
    """Copy the files that rows name into a folder of backups, each once and named by its SHA-256,
    which `names` tells; what was copied is removed when the block raises.

    Raises UnwritablePath where the folder cannot be written.
    """
    kept = _kept_folder(folder)
    names: dict[str, str] = {}
    lost: list[str] = []
    made: list[Path] = []
    try:
        for file in files:
            source = TranscriptSource(file, path_of(url, file))
            found = _checked(source)
            if isinstance(found, _Lost):
                lost.append(found.sentence)
                continue
            target = kept_path(folder, found)
            # What an earlier backup kept, and is no longer what it was, is kept anew.
            with _writable(kept):
                if not (target.is_file() and checksum(target) == found):
                    _copy(source.path, target)
                    made.append(target)
            names[file] = found
        yield BroughtTranscripts(names, tuple(lost))
    except BaseException:
        _remove(made, kept)
        raise


def kept_path(folder: Path, sha256: str) -> Path:
    """Where a file of transcripts is in a folder of backups."""
    return _kept_folder(folder) / f"{sha256}.parquet"


def kept_sources(backup: Path, manifest: Manifest) -> list[TranscriptSource]:
    """The files of transcripts that belong to a backup."""
    return [
        TranscriptSource(file, kept_path(backup.parent, sha256), sha256)
        for file, sha256 in manifest.transcripts.items()
        if sha256 is not None
    ]


def lost_before(manifest: Manifest) -> tuple[str, ...]:
    """A sentence for each file that could not be read when a backup was made."""
    return tuple(
        f"the transcripts in {file} could not be read when the backup was made, and are not in it"
        for file, sha256 in manifest.transcripts.items()
        if sha256 is None
    )


def lost_since(backup: Path, manifest: Manifest) -> tuple[str, ...]:
    """A sentence for each file of a backup that is missing, or not what was kept."""
    checked = [_checked(source) for source in kept_sources(backup, manifest)]
    return tuple(found.sentence for found in checked if isinstance(found, _Lost))


def forget_kept(folder: Path, deleted: Iterable[Manifest]) -> None:
    """Delete the files of backups that were deleted, but for those that another one names."""
    named = {each for manifest in deleted for each in manifest.transcripts.values() if each}
    if not named:
        return
    # A manifest that this release cannot read may name some too.
    said = [place.read_bytes() for place in folder.glob("*.json") if place.is_file()]
    for sha256 in named:
        if not any(sha256.encode() in each for each in said):
            kept_path(folder, sha256).unlink(missing_ok=True)
    with suppress(OSError):  # others are in it
        _kept_folder(folder).rmdir()


@dataclass(frozen=True, slots=True)
class _Lost:
    sentence: str


def _checked(source: TranscriptSource) -> str | _Lost:
    """The SHA-256 of a file."""
    where = f"the transcript file {source.path}"
    try:
        # A database of others could name a file of secrets, which no copy takes along. What has a
        # checksum to have is compared with it.
        if source.sha256 is None and not is_transcript_file(source.path):
            return _Lost(f"{where} is no file of transcripts: put it back from a copy")
        found = checksum(source.path)
    except FileNotFoundError:
        return _Lost(f"{where} is not there: put it back from a copy of its folder")
    except OSError as error:
        return _Lost(f"{where} cannot be read ({error.strerror}): put it back from a copy")
    if source.sha256 not in (None, found):
        return _Lost(f"{where} is not what was kept: put it back from a copy of its folder")
    return found


def _kept_folder(folder: Path) -> Path:
    return folder / "backup-transcripts"


def _free(folder: Path, file: Path, sha256: str) -> Path:
    """A name like that of a file which is not taken by another."""
    target, number = folder / file.name, 1
    while target.exists() and not (target.is_file() and checksum(target) == sha256):
        number += 1
        target = folder / f"{file.stem}-{number}{file.suffix}"
    return target


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnwritablePath(
            f"the transcripts cannot be copied into {folder} ({error.strerror}): make room, or "
            "allow writing there, then type the same command again"
        ) from error


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        shutil.copyfile(source, partial)
        partial.chmod(0o600)
        settle(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _remove(made: Iterable[Path], folder: Path) -> None:
    for path in made:
        path.unlink(missing_ok=True)
    with suppress(OSError):  # it is not there, or others are in it
        folder.rmdir()
