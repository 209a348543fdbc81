"""Restores an archive: its rows, under numbers that are free, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session, col

from db.archive.opened import OpenedArchive
from db.archive.tables import CATALOGUE, TABLES, ArchivedTable, table
from db.errors import LeaseHeld
from db.keys import MAX_GAME_ID
from db.live import run_now
from db.models import Agent, Annotation, Environment, Kind, Model, Prompt, Tournament
from db.models.audit import AUDITED
from db.repository.audit import record_annotations, record_row
from db.repository.rows import hashed, locked

_ROWS_AT_A_TIME = 500
_LOCK = 7305808869231650160


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the tournament with its number here, how many games, and what was added to
    each number of a game, 0 where all kept theirs; `branches` are the games that branch from those
    of the tournament, by their numbers here, and `known` counts rows of the catalogue that were
    here already."""

    tournament: str
    tournament_id: int
    games: int
    turns: int
    calls: int
    moved: int
    branches: tuple[int, ...]
    known: int


def restore(session: Session, archive: OpenedArchive) -> Restored:
    """Add the rows of an archive. Models, prompts, kinds, agents and environments that are here
    already are those of the archive, known by what makes them; everything else keeps its numbers
    where they are above all that are here, and else is moved behind them, in order. Games that were
    rated come after all that are rated here.

    Nothing that is computed from games is computed: that is the caller's part, in the same
    transaction. Raises BadArchive for a file that holds what no archive does, LeaseHeld while
    somebody runs a tournament, DatabaseError for a tournament, or anything of another content,
    whose name is taken here.
    """
    locked(session, _LOCK)
    if run_now(session):
        raise LeaseHeld("a tournament is being run in this database: import when it has ended")
    into = _Into(session.connection(), archive)
    for archived in TABLES:
        into.add(archived)
    into.advance_sequences()
    _record(session, into)
    return into.report()


def _record(session: Session, into: _Into) -> None:
    """Put the rows onto the trail that people make."""
    reason = f"imported with the tournament {into.archive.tournament}"
    for table_of in (Kind, Model, Prompt, Agent, Environment, Tournament):
        for key in into.added.get(str(table_of.__tablename__), ()):
            row = session.get_one(table_of, key)
            record_row(session, row, "add", reason=reason)
    notes = into.added.get("annotations", [])
    for at in range(0, len(notes), _ROWS_AT_A_TIME):
        some = col(Annotation.id).in_(notes[at : at + _ROWS_AT_A_TIME])
        record_annotations(session, some, "add", reason=reason)


@dataclass(slots=True)
class _Into:
    """The numbers of an archive's rows here, while it is restored; `added` are those of new rows
    that go onto the trail, by table."""

    connection: Connection
    archive: OpenedArchive
    numbers: dict[str, dict[int, int]] = field(default_factory=dict)
    games: set[int] = field(default_factory=set)
    moved: int = 0
    branches: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    known: int = 0
    added: dict[str, list[int]] = field(default_factory=dict)

    def add(self, archived: ArchivedTable) -> None:
        rows: Iterable[dict[str, Any]] = self.archive.rows(archived)
        if archived.name in CATALOGUE:
            self._add_catalogue(archived, [*rows])
            return
        if archived.name == "tournaments":
            self._add_tournament(archived, [*rows])
            return
        if archived.key == "own":
            rows = self._renumbered(archived, rows)
        if archived.name == "games":
            rows = self._placed(rows)
        if archived.name == "cached_answers":
            rows = self._unanswered(rows)
        self.counts[archived.name] = 0
        for some in _some(rows):
            self._insert(archived, [self._told(archived, row) for row in some])
            self.counts[archived.name] += len(some)

    def report(self) -> Restored:
        ((_, number),) = self.numbers["tournaments"].items()
        return Restored(
            self.archive.tournament,
            number,
            self.counts["games"],
            self.counts["game_turns"],
            self.counts["llm_calls"],
            self.moved,
            tuple(self.branches),
            self.known,
        )

    def advance_sequences(self) -> None:
        """A server counts on from what it has given, not from what is there."""
        if self.connection.dialect.name != "postgresql":
            return
        for archived in TABLES:
            if archived.key == "own":
                self.connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{archived.name}', 'id'), m) "  # noqa: S608
                        f"FROM (SELECT MAX(id) AS m FROM {archived.name}) AS t WHERE m IS NOT NULL"
                    )
                )

    def _add_catalogue(self, archived: ArchivedTable, rows: list[dict[str, Any]]) -> None:
        """Each row by what it is known by: the one that is here, else a new one."""
        taken = self.numbers.setdefault(archived.name, {})
        columns = archived.table.c
        waiting = rows
        while waiting:
            later = []
            for row in waiting:
                parent = row.get("forked_from")
                if parent is not None and parent not in taken:
                    later.append(row)
                    continue
                old = row["id"]
                if old in taken:
                    raise self.archive.bad(f"two rows of {archived.name} have the number {old}")
                told = self._told(archived, row)
                self._check_hashes(archived, told)
                here = (
                    self.connection.execute(
                        select(archived.table).where(
                            *(columns[name] == told[name] for name in archived.named)
                        )
                    )
                    .mappings()
                    .first()
                )
                if here is None:
                    self._check_alias(archived, told)
                    told["id"] = self._free(archived, old)
                    self._insert(archived, [told])
                    taken[old] = told["id"]
                    continue
                self._check_same(archived, told, dict(here))
                taken[old] = int(here["id"])
                self.known += 1
            if len(later) == len(waiting):
                raise self.archive.bad("a prompt was forked from one that is not in it")
            waiting = later

    def _check_alias(self, archived: ArchivedTable, row: Mapping[str, Any]) -> None:
        alias = row.get("alias")
        if alias is None:
            return
        aliases = archived.table.c.alias
        if self.connection.execute(select(aliases).where(aliases == alias)).first():
            raise self.archive.bad(
                f"another agent is named {alias!r} here: restore into another database"
            )

    def _check_hashes(self, archived: ArchivedTable, row: Mapping[str, Any]) -> None:
        if archived.name == "prompts" and hashed(row["content"]) != row["content_hash"]:
            raise self.archive.bad(f"the prompt {row['name']!r} is not the text of its hash")
        if archived.name == "agents" and hashed(row["options"]) != row["options_hash"]:
            raise self.archive.bad("an agent's options are not those of their hash")

    def _check_same(
        self, archived: ArchivedTable, row: Mapping[str, Any], here: Mapping[str, Any]
    ) -> None:
        for name in archived.made:
            if row[name] != here[name]:
                noun = archived.name.removesuffix("s")
                called = row.get("name") or row.get("alias") or row["id"]
                raise self.archive.bad(
                    f"the {noun} {called!r} here is another one, its {name} differs: restore into "
                    "another database"
                )

    def _free(self, archived: ArchivedTable, number: int) -> int:
        """The number itself where it is free, else the next one."""
        column = archived.table.c.id
        taken = self.connection.execute(select(column).where(column == number)).first()
        if taken is None and number > 0:
            return number
        return self._highest(archived) + 1

    def _highest(self, archived: ArchivedTable) -> int:
        return int(self.connection.execute(select(func.max(archived.table.c.id))).scalar() or 0)

    def _add_tournament(self, archived: ArchivedTable, rows: list[dict[str, Any]]) -> None:
        if len(rows) != 1 or rows[0]["name"] != self.archive.tournament:
            raise self.archive.bad("it holds another tournament than it says")
        (row,) = rows
        names = archived.table.c.name
        if self.connection.execute(select(names).where(names == row["name"])).first():
            raise self.archive.bad(
                f"there is a tournament {row['name']!r} here already: restore into another database"
            )
        told = self._told(archived, row)
        told["id"] = self._free(archived, row["id"])
        self._insert(archived, [told])
        self.numbers["tournaments"] = {row["id"]: told["id"]}

    def _placed(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The games behind all that are here, and rated after all that are rated here."""
        folds = table("games").c.fold_index
        said = self.archive.manifest["tables"]["games"]
        rated = self.connection.execute(select(func.max(folds))).scalar()
        folded = 0 if rated is None else _offset(said.get("lowest_fold"), int(rated))
        for row in rows:
            number, parent = row["id"], row["parent_game_id"]
            self.moved = row["new"] - number
            if not 0 < row["new"] <= MAX_GAME_ID:
                raise self.archive.bad(f"there is no number for its game {number} here")
            if parent is None and row["tournament_id"] is None:
                raise self.archive.bad(f"its game {number} is of no tournament and no branch")
            if row["tournament_id"] is None:
                self.branches.append(row["new"])
            self.games.add(number)
            if row["fold_index"] is not None:
                row["fold_index"] += folded
            yield row

    def _renumbered(
        self, archived: ArchivedTable, rows: Iterable[dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Rows behind all that are here, in order; with the numbers they have, where they are."""
        lowest = self.archive.manifest["tables"][archived.name].get("lowest")
        offset = _offset(lowest, self._highest(archived))
        for row in rows:
            if lowest is None or row["id"] < lowest:
                raise self.archive.bad(f"the numbers of {archived.name} are not those it says")
            yield row | {"new": row["id"] + offset}

    def _unanswered(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The answers to what has none here."""
        answers = table("cached_answers").c
        for row in rows:
            here = self.connection.execute(
                select(answers.stored_at).where(answers.request_hash == row["request_hash"])
            ).first()
            if here is None:
                yield row

    def _told(self, archived: ArchivedTable, row: dict[str, Any]) -> dict[str, Any]:
        """A row with the numbers that it and what it refers to have here."""
        told = {name: value for name, value in row.items() if name != "new"}
        for name in archived.emptied:
            if name in told:
                told[name] = None
        for name, other in archived.refers.items():
            if told[name] is not None:
                told[name] = self._number(archived, other, told[name])
        if archived.key == "own" and "new" in row:
            told["id"] = row["new"]
        elif archived.key == "turn":
            told["id"] = self._number(archived, "turns", row["id"])
        elif archived.key == "call":
            told["id"] = self._number(archived, "calls", row["id"])
        if archived.name == "branch_runs":
            told["seats"] = {
                place: self._number(archived, "agents", agent)
                for place, agent in told["seats"].items()
            }
            told.update(holder=None, granted=None)
        return told

    def _number(self, archived: ArchivedTable, other: str, old: Any) -> int:
        bits = {"games": 0, "turns": 24, "calls": 32}.get(other)
        if bits is None:
            found = self.numbers.get(other, {}).get(old)
            if found is not None:
                return found
        elif isinstance(old, int) and old >> bits in self.games:
            return old + (self.moved << bits)
        raise self.archive.bad(
            f"a row of {archived.name} refers to one of {other} that is not in it"
        )

    def _insert(self, archived: ArchivedTable, rows: Sequence[dict[str, Any]]) -> None:
        try:
            self.connection.execute(insert(archived.table), [*rows])
        except (IntegrityError, DataError, OverflowError) as error:
            reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
            raise self.archive.bad(f"rows of {archived.name} are refused ({reason})") from error
        if archived.name in AUDITED:
            self.added.setdefault(archived.name, []).extend(int(row["id"]) for row in rows)


def _offset(lowest: int | None, highest: int) -> int:
    """What is added to numbers so that all are above the highest that is taken."""
    return 0 if lowest is None or lowest > highest else highest + 1 - lowest


def _some(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    source = iter(rows)
    while some := [*islice(source, _ROWS_AT_A_TIME)]:
        yield some
