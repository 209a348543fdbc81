"""Files of transcripts: Parquet, a row group for each game, written once and never changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from db.errors import Damaged, DatabaseError, UnwritablePath
from db.transcripts.moved import MOVED, StoredTexts

_KEY = "key"
_PARQUET = b"PAR1"
_WHAT_TO_TYPE = "put the file back from a copy of the folder"


def arrow() -> Any:
    """pyarrow with its module for Parquet. Raises DatabaseError when it is missing."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise DatabaseError(
            "the transcripts of archived games are Parquet files, which need pyarrow: type "
            "pip install 'llm-arena[parquet]'"
        ) from error
    return pyarrow


def _schema(pa: Any) -> Any:
    """The columns of all tables beside each other; those that a table has not are empty."""
    kinds = {"integer": pa.int64(), "text": pa.string(), "bytes": pa.binary()}
    fields = {"table": pa.string(), _KEY: pa.int64()}
    for part in MOVED:
        fields |= dict.fromkeys(part.told_by, pa.string())
        fields |= {name: kinds[kind] for name, kind in part.columns.items()}
    return pa.schema([*fields.items()])


class TranscriptFile:
    """A new file of transcripts under `path`: nothing is there until `keep` has been called, and
    then all of it, on the disk. Raises DatabaseError without pyarrow, UnwritablePath where it
    cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path, self._partial = path, path.with_name(path.name + ".partial")
        self._pa = arrow()
        self._schema = _schema(self._pa)
        with _writable(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._stream = open(self._partial, "xb", opener=_of_owner)  # noqa: SIM115
        self._writer = self._pa.parquet.ParquetWriter(
            self._stream,
            self._schema,
            compression="zstd",
            # Texts are packed already, and no two are alike.
            use_dictionary=["table"],
            write_statistics=False,
        )
        self._groups = 0

    def add(self, rows: StoredTexts) -> int:
        """Write a game; the number of its row group. Raises UnwritablePath."""
        told = [
            {"table": part.name, _KEY: row[part.key], **{n: row[n] for n in row if n != part.key}}
            for part in MOVED
            for row in rows.get(part.name, ())
        ]
        with _writable(self._path):
            self._writer.write_table(
                self._pa.Table.from_pylist(told, schema=self._schema),
                row_group_size=max(1, len(told)),
            )
        self._groups += 1
        return self._groups - 1

    def keep(self) -> None:
        """Close the file, and see that it and its name are on the disk. Raises UnwritablePath."""
        with _writable(self._path):
            self._writer.close()
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            self._partial.rename(self._path)
            _sync_folder(self._path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._stream.closed:
            with suppress(Exception):  # whatever stopped it is said, not that its file ends early
                self._writer.close()
            self._stream.close()
            self._partial.unlink(missing_ok=True)


def is_transcript_file(path: Path) -> bool:
    """Whether a file is one of Parquet, by how it begins and ends: for whoever copies what a
    database names, which somebody else may have written. Raises OSError; never waits for a pipe."""
    if not path.stat().st_size or not path.is_file():
        return False
    with path.open("rb") as opened:
        begins = opened.read(len(_PARQUET))
        opened.seek(-len(_PARQUET), os.SEEK_END)
        return begins == opened.read() == _PARQUET


def read_game(
    path: Path, row_group: int, game_id: int, row_count: int
) -> dict[str, list[dict[str, Any]]]:
    """The rows of a game as they were stored, of which there must be `row_count`: a file of others
    may say that it holds more than any memory. Raises Damaged for a file that is missing or no
    longer what it was, DatabaseError without pyarrow."""
    pa = arrow()
    with _readable(path, game_id):
        if path.exists() and not path.is_file():
            raise ValueError("no file")
    with _readable(path, game_id), pa.parquet.ParquetFile(path) as file:
        if file.metadata.row_group(row_group).num_rows != row_count:
            raise damaged_game(path, game_id)
        found = file.read_row_group(row_group).to_pylist()
        rows: dict[str, list[dict[str, Any]]] = {part.name: [] for part in MOVED}
        parts = {part.name: part for part in MOVED}
        for row in found:
            part = parts[row["table"]]
            rows[part.name].append(
                {part.key: row[_KEY], **{n: row[n] for n in (*part.told_by, *part.columns)}}
            )
    return rows


@contextmanager
def _readable(path: Path, game_id: int) -> Iterator[None]:
    pa = arrow()
    where = f"game {game_id} is archived, and its transcript in {path}"
    try:
        yield
    except FileNotFoundError as error:
        raise Damaged(f"{where} is not there: {_WHAT_TO_TYPE}") from error
    except (
        OSError,
        pa.ArrowException,
        KeyError,
        IndexError,
        ValueError,
        TypeError,
        MemoryError,
    ) as error:
        raise Damaged(f"{where} cannot be read: {_WHAT_TO_TYPE}") from error


def damaged_game(path: Path, game_id: int) -> Damaged:
    """What is said of a game whose rows are not those that were written."""
    return Damaged(
        f"game {game_id} is archived, and its transcript in {path} is not what was written: "
        f"{_WHAT_TO_TYPE}"
    )


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnwritablePath(
            f"{path} cannot be written ({error.strerror or error}): nothing was removed that is "
            "not on disk; make room, or allow writing there, and type the same again"
        ) from error


def _of_owner(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk when its folder is."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
