"""Writes batches of appends: all of one in one transaction, and a bad one without the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from db.delegates import Delegation
from db.errors import DatabaseError, LeaseLost, WriteFailed
from db.fold import Fold
from db.leases import Lease
from db.writer.connections import Connection, Lost
from db.writer.subject import Record, Subject, Writing
from db.writer.subjects import SUBJECTS

_SAVEPOINT = "SAVEPOINT one_append"
_RELEASE = "RELEASE SAVEPOINT one_append"
_UNDO = "ROLLBACK TO SAVEPOINT one_append"


@dataclass(slots=True, eq=False)
class Append:
    """Records that are committed together; `error` says why they were not."""

    records: tuple[Record, ...]
    waiter: Any = None
    error: BaseException | None = None


class _Again(Exception):
    """Something is already written, or was never there: write the appends one by one."""


class BatchWriter:
    """Writes appends through one connection; for one thread.

    With a lease nothing is written once another process has taken it over.
    """

    def __init__(
        self,
        connection: Connection,
        fold: Fold | None,
        lease: Lease | Delegation | None = None,
        subjects: Sequence[Subject] = SUBJECTS,
    ) -> None:
        self._connection = connection
        self._statements = tuple(each for subject in subjects for each in subject.statements)
        self._rows = {kind: make for subject in subjects for kind, make in subject.rows.items()}
        self._expects = {kind: subject.expects for subject in subjects for kind in subject.rows}
        self._ends = {kind: end for subject in subjects for kind, end in subject.ends.items()}
        self._follows = tuple(subject.follows for subject in subjects if subject.follows)
        self._lease = lease
        self._beat = "" if lease is None else lease.beat
        self._writing = Writing(connection, fold)
        self._apart = Writing(connection, fold, chained=False)

    def write(self, batch: list[Append]) -> None:
        """Commit the batch; an append that was refused carries its error.

        Raises Lost when the server went away, LeaseLost when another process has taken over, and
        what the driver raises when the database as a whole refuses to be written: then nothing of
        the batch is known to be written.
        """
        self._connection.begin()
        try:
            self._together(batch)
        except Lost:
            self._forget(batch)
            raise
        except LeaseLost:
            self._forget(batch)
            self._connection.rollback()
            raise
        except Exception:
            # Whatever it was, the appends say it one by one, each for itself.
            self._connection.rollback()
            self.write_apart(batch)

    def write_apart(self, batch: list[Append]) -> None:
        """Commit the batch, each append in a savepoint of its own, tolerant of what is already
        written."""
        connection = self._connection
        self._forget(batch)
        connection.begin()
        try:
            lease = self._lease
            if lease is not None and not connection.execute(self._beat, (lease.key, lease.fence)):
                raise _lost(lease)
            for append in batch:
                append.error = None
                connection.execute(_SAVEPOINT)
                try:
                    self._alone(append.records)
                except Lost:
                    raise
                except Exception as error:
                    try:
                        connection.execute(_UNDO)
                    except connection.refused:
                        # A full disk takes the savepoint too; what filled it is the reason.
                        raise error from None
                    append.error = self._explained(append.records, error)
                connection.execute(_RELEASE)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            self._forget(batch)

    def _together(self, batch: list[Append]) -> None:
        made: dict[str, list[Any]] = {statement: [] for statement in self._statements}
        ends: list[Record] = []
        for append in batch:
            records = append.records
            for record, following in zip_longest(records, records[1:]):
                make = self._rows.get(type(record))
                if make is None:
                    ends.append(record)
                    continue
                for statement, row in make(self._writing, record, following):
                    made[statement].append(row)
        groups = [(statement, of_it) for statement, of_it in made.items() if of_it]
        lease = self._lease
        if lease is not None:
            groups.insert(0, (self._beat, [(lease.key, lease.fence)]))
        counts = self._connection.run(groups)
        if lease is not None and not counts[0]:
            raise _lost(lease)
        if counts != [len(of_it) for _, of_it in groups]:
            raise _Again
        for record in ends:
            self._end(record)
        self._connection.commit()
        for record in ends:
            self._writing.forget(record.game_id)

    def _alone(self, records: tuple[Record, ...]) -> None:
        for record in records:
            make = self._rows.get(type(record))
            if make is None:
                self._end(record)
                continue
            expects = self._expects[type(record)]
            for statement, row in make(self._apart, record, None):
                changed = self._connection.execute(statement, row)
                # An insertion that changes nothing was done before.
                if not changed and expects is not None and not statement.startswith("INSERT"):
                    expects(self._connection, record)

    def _end(self, record: Record) -> None:
        end = self._ends.get(type(record))
        if end is None:
            raise TypeError(f"{type(record).__name__} is no record: no subject writes it")
        ended = end(self._apart, record)
        if ended is not None:
            for follow in self._follows:
                follow(self._apart, ended)

    def _explained(self, records: tuple[Record, ...], error: Exception) -> Exception:
        if isinstance(error, DatabaseError) or not isinstance(error, self._connection.refused):
            return error
        found = self._connection.fault(error)
        if found is not None:
            return found
        what = ", ".join(type(record).__name__ for record in records)
        games = sorted({record.game_id for record in records})
        reason = str(error).strip().splitlines()[0]
        explained = WriteFailed(
            f"the database refused {what} of game {', '.join(map(str, games))}: {reason}"
        )
        explained.__cause__ = error
        return explained

    def _forget(self, batch: list[Append]) -> None:
        for append in batch:
            for record in append.records:
                self._writing.forget(record.game_id)


def _lost(lease: Lease | Delegation) -> LeaseLost:
    return LeaseLost(
        f"another process has taken over {lease.said}: nothing more is written here; let it run, "
        "or end it and type the same command again"
    )
