"""An archive that is read: a stranger's file, of which nothing is believed that was not checked.

Nothing of it is unpacked to a disk: rows are read as a stream, and only the members that an archive
has, each no longer than it says it is.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db import schema
from db.archive.tables import FORMAT, MANIFEST, TABLES, VERSION, ArchivedTable, decoder
from db.errors import DatabaseError

_LONGEST_MANIFEST = 2**20
LONGEST_LINE = 256 * 2**20
# Rows as JSON shrink to a tenth; the most that deflate can do is a thousandth.
_MOST_SHRUNK = 200
_SLACK = 2**20


class BadArchive(DatabaseError):
    """The file is no archive, or not one that can be restored here."""


@dataclass(frozen=True, slots=True)
class OpenedArchive:
    """An archive whose members and manifest are those of one."""

    path: Path
    file: zipfile.ZipFile
    manifest: Mapping[str, Any]

    @property
    def tournament(self) -> str:
        return str(self.manifest["tournament"])

    def rows(self, archived: ArchivedTable) -> Iterator[dict[str, Any]]:
        """The rows of a table, in their order, checked by types. Raises BadArchive, at the latest
        at their end, where they are not those of the manifest."""
        said = self.manifest["tables"][archived.name]
        decoders = {column.name: decoder(column) for column in archived.table.c}
        digest, count = hashlib.sha256(), 0
        for line in self._lines(archived.name, said["bytes"]):
            digest.update(line)
            count += 1
            yield self._row(archived, decoders, line, count)
        if digest.hexdigest() != said["sha256"] or count != said["rows"]:
            raise self.bad(f"the rows of {archived.name} are not those whose hash is in it")

    def bad(self, what: str) -> BadArchive:
        """An error that names the file."""
        return BadArchive(f"{self.path} cannot be restored: {what}; nothing was imported")

    def _lines(self, name: str, size: int) -> Iterator[bytes]:
        left = size
        try:
            with self.file.open(f"{name}.jsonl") as member:
                while line := member.readline(min(left, LONGEST_LINE) + 1):
                    left -= len(line)
                    if left < 0 or len(line) > LONGEST_LINE:
                        raise self.bad(f"the rows of {name} are longer than it says")
                    yield line
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise self.bad(f"the rows of {name} are cut short or damaged ({error})") from error

    def _row(
        self, archived: ArchivedTable, decoders: Mapping[str, Any], line: bytes, number: int
    ) -> dict[str, Any]:
        where = f"row {number} of {archived.name}"
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self.bad(f"{where} is no JSON") from error
        if not isinstance(fields, dict) or fields.keys() != decoders.keys():
            raise self.bad(f"{where} has other columns than the table")
        try:
            return {name: decode(fields[name]) for name, decode in decoders.items()}
        except DatabaseError as error:
            raise self.bad(f"{where}: {error}") from error


@contextmanager
def open_archive(path: Path) -> Iterator[OpenedArchive]:
    """An archive by its path. Raises BadArchive for a file that is none, is cut short, holds
    anything else, or is of another release's tables."""

    def bad(what: str) -> BadArchive:
        return BadArchive(f"{path} cannot be restored: {what}; nothing was imported")

    if path.is_dir():
        raise BadArchive(f"{path} is a folder: expected a file of `arena export --archive FILE`")
    if not path.is_file():
        raise BadArchive(f"there is no file {path}: expected one of `arena export --archive FILE`")
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise bad("it is no archive of a tournament, or was cut short") from error
    with file:
        _check_members(path, file, bad)
        try:
            with file.open(MANIFEST) as member:
                manifest = json.loads(member.read(_LONGEST_MANIFEST + 1))
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RecursionError) as e:
            raise bad(f"its {MANIFEST} cannot be read") from e
        if (
            not isinstance(manifest, dict)
            or manifest.get("format") != FORMAT
            or not isinstance(manifest.get("tournament"), str)
        ):
            raise bad("it is no archive of a tournament")
        if manifest.get("version") != VERSION:
            raise bad(
                f"it is an archive of form {manifest.get('version')!r:.20}, and this release reads "
                f"form {VERSION}"
            )
        if manifest.get("revision") != schema.HEAD:
            raise bad(
                f"its tables are of revision {manifest.get('revision')!r:.20}, those of this "
                f"release are of {schema.HEAD}: archive the tournament again with this release, "
                "or restore it with the one that wrote it"
            )
        _check_tables(manifest.get("tables"), file, bad)
        yield OpenedArchive(path, file, manifest)


def _check_members(path: Path, file: zipfile.ZipFile, bad: Any) -> None:
    expected = {MANIFEST, *(f"{archived.name}.jsonl" for archived in TABLES)}
    members = file.infolist()
    for member in members:
        if member.filename not in expected:
            raise bad(f"it holds {member.filename!r:.80}, which no archive does")
    if len(members) != len(expected) or {member.filename for member in members} != expected:
        raise bad("tables are missing in it, or there twice")
    if sum(member.compress_size for member in members) > path.stat().st_size:
        raise bad("its members overlap")
    for member in members:
        if member.flag_bits & 1:
            raise bad("it is encrypted")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise bad(f"{member.filename} is compressed in a way that no archive is")
        most = _MOST_SHRUNK * member.compress_size + _SLACK
        if member.filename == MANIFEST:
            most = _LONGEST_MANIFEST
        if member.file_size > most:
            raise bad(
                f"{member.filename} would become {member.file_size:,} bytes of "
                f"{member.compress_size:,}, which no archive does"
            )


def _check_tables(tables: Any, file: zipfile.ZipFile, bad: Any) -> None:
    names = {archived.name for archived in TABLES}
    if not isinstance(tables, dict) or tables.keys() != names:
        raise bad(f"its {MANIFEST} names other tables than an archive has")
    for name, said in tables.items():
        fits = isinstance(said, dict) and all(
            isinstance(said.get(field), kind)
            for field, kind in (("rows", int), ("bytes", int), ("sha256", str))
        )
        numbers = [said[name] for name in ("lowest", "lowest_fold") if fits and name in said]
        fits = fits and all(type(number) is int for number in numbers)
        if not fits or said["bytes"] != file.getinfo(f"{name}.jsonl").file_size:
            raise bad(f"the rows of {name} are not as many as it says")
