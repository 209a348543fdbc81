"""Writes batches of appends: all of one in one transaction, and a bad one without the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from db import keys
from db.errors import DatabaseError, LeaseLost, WriteFailed
from db.fold import Rate
from db.leases import Lease
from db.records import GameFinished, GameVoided, RatingsDue, Record
from db.writer import rows, settling
from db.writer.connections import Connection, Lost

_SAVEPOINT = "SAVEPOINT one_append"
_RELEASE = "RELEASE SAVEPOINT one_append"
_UNDO = "ROLLBACK TO SAVEPOINT one_append"
_BEAT = "UPDATE leases SET beat = beat + 1 WHERE tournament_id = ? AND fence = ?"


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
        self, connection: Connection, rate: Rate | None, lease: Lease | None = None
    ) -> None:
        self._connection = connection
        self._rate = rate
        self._lease = None if lease is None else (lease.tournament_id, lease.fence)
        self._maker = rows.RowMaker(connection.time)

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
            if self._lease is not None and not connection.execute(_BEAT, self._lease):
                raise self._lost_lease()
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
        made: dict[str, list[Any]] = {statement: [] for statement in rows.STATEMENTS}
        ends: list[Record] = []
        make = self._maker.rows
        for append in batch:
            for record, found in zip(append.records, make(append.records), strict=True):
                if found:
                    for statement, row in found:
                        made[statement].append(row)
                else:
                    ends.append(record)
        groups = [(statement, of_it) for statement, of_it in made.items() if of_it]
        if self._lease is not None:
            groups.insert(0, (_BEAT, [self._lease]))
        counts = self._connection.run(groups)
        if self._lease is not None and not counts[0]:
            raise self._lost_lease()
        if counts != [len(of_it) for _, of_it in groups]:
            raise _Again
        for record in ends:
            self._end(record)
        self._connection.commit()
        for record in ends:
            if not isinstance(record, RatingsDue):
                self._maker.forget(record.game_id)

    def _lost_lease(self) -> LeaseLost:
        assert self._lease is not None
        return LeaseLost(
            f"another process has taken over tournament {self._lease[0]}: nothing more is written "
            "here; let it run, or end it and type the same command again"
        )

    def _alone(self, records: tuple[Record, ...]) -> None:
        for record, found in zip(records, self._maker.rows(records, chained=False), strict=True):
            for statement, row in found:
                if not self._connection.execute(statement, row):
                    self._expect(record, statement)
            self._end(record)

    def _expect(self, record: Any, statement: str) -> None:
        # Nothing changed: right when the row was written before, wrong when it never was.
        if statement == rows.START:
            found = self._connection.query(
                "SELECT status FROM games WHERE id = ?", (record.game_id,)
            )
            state = f"is {found[0][0]}" if found else "is not in the database"
            raise WriteFailed(f"game {record.game_id} cannot start: it {state}")
        if statement.startswith("INSERT"):
            return
        turn_id = keys.turn_key(record.game_id, record.turn_number, record.player_index)
        if statement in (rows.ANSWER, rows.RESPONSE):
            call_id = keys.call_key(turn_id, record.call_index)
            if self._connection.query("SELECT 1 FROM llm_calls WHERE id = ?", (call_id,)):
                return
            raise WriteFailed(
                f"call {record.call_index} of turn {record.turn_number} in game "
                f"{record.game_id} was answered, but never intended"
            )
        if not self._connection.query("SELECT 1 FROM game_turns WHERE id = ?", (turn_id,)):
            raise WriteFailed(
                f"turn {record.turn_number} of player {record.player_index} in game "
                f"{record.game_id} was never opened"
            )

    def _end(self, record: Record) -> None:
        match record:
            case GameFinished():
                tournament_id = settling.finish(self._connection, record)
            case GameVoided():
                tournament_id = settling.void(self._connection, record)
            case RatingsDue():
                tournament_id = record.tournament_id
            case _:
                return
        if tournament_id is not None and self._rate is not None:
            settling.fold(self._connection, tournament_id, self._rate)

    def _explained(self, records: tuple[Record, ...], error: Exception) -> Exception:
        if isinstance(error, DatabaseError) or not isinstance(error, self._connection.refused):
            return error
        found = self._connection.fault(error)
        if found is not None:
            return found
        what = ", ".join(type(record).__name__ for record in records)
        games = sorted({record.game_id for record in records if hasattr(record, "game_id")})
        reason = str(error).strip().splitlines()[0]
        explained = WriteFailed(
            f"the database refused {what} of game {', '.join(map(str, games))}: {reason}"
        )
        explained.__cause__ = error
        return explained

    def _forget(self, batch: list[Append]) -> None:
        for append in batch:
            for record in append.records:
                if not isinstance(record, RatingsDue):
                    self._maker.forget(record.game_id)
