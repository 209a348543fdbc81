"""One way to say which games: what they have in common, compiled to conditions on the tables."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, SupportsIndex, get_args

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    case,
    exists,
    false,
    func,
    null,
    or_,
    select,
)
from sqlmodel import Session

from db.errors import BadSelection
from db.finding import NameOrNumber, Noun, numbers_of, unknown
from db.live import run_now
from db.models import GAME_STATUSES, Game

Names = NameOrNumber | Iterable[NameOrNumber] | None
Words = str | Iterable[str] | None
GameNumbers = SupportsIndex | Iterable[SupportsIndex] | None
Moment = datetime | str | None

STATUSES = ("scheduled", "running", "paused", "completed", "void")
RESULTS = ("win", "draw", "loss")

_TABLES = Game.metadata.tables
_GAMES, _SEATS, _AGENTS = (_TABLES[name] for name in ("games", "game_players", "agents"))
_TAGS = _TABLES["annotation_tags"]
_WORDS: Mapping[str, ColumnElement[Any]] = {
    "role": _SEATS.c.role,
    "team": _SEATS.c.team,
    "termination": _GAMES.c.termination,
    "tag": _TAGS.c.tag,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Games, or seats in them. Nothing given selects everything; of several values of one field
    one must hold, of several fields all.

    Names may be numbers; an agent's name is its alias, or `kind/model/prompt`. `agent`, `kind`,
    `model`, `prompt`, `role`, `team`, `result` (win, draw or loss) and `against`, an agent on
    another team of the game, must hold of one and the same seat. A `status` is one of scheduled,
    running, paused (begun in a tournament that nobody runs), completed, void. Games have finished
    at `since` or later and before `until`: times, or texts as `moment` reads them. `game` are games
    themselves, `parent` those whose branches are meant, `revision` how their rules were put to the
    players, `tag` what somebody tagged them with, or a turn of them.

    Raises BadSelection for a status or a result that there is not, and a text that is no time.
    """

    tournament: Names = None
    environment: Names = None
    agent: Names = None
    against: Names = None
    kind: Names = None
    model: Names = None
    prompt: Names = None
    role: Words = None
    team: Words = None
    result: Words = None
    status: Words = None
    termination: Words = None
    since: Moment = None
    until: Moment = None
    game: GameNumbers = None
    parent: GameNumbers = None
    revision: GameNumbers = None
    tag: Words = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            plain: Any = moment(value) if field.name in ("since", "until") else several(value)
            object.__setattr__(self, field.name, plain)
        _check("status", several(self.status), STATUSES)
        _check("result", several(self.result), RESULTS)

    def allow(self, *allowed: str, what: str) -> None:
        """Raises BadSelection where other fields are given than those that `what` can be asked."""
        given = [field.name for field in fields(self) if getattr(self, field.name)]
        for name in given:
            if name not in allowed:
                raise BadSelection(
                    f"{what} cannot be chosen by {name}, but by {', '.join(allowed)}"
                )

    def on(self, session: Session | Connection) -> Chosen:
        """The selection by the numbers of a database. Raises BadSelection for what it does not
        hold, with the nearest that it does."""
        for noun, column in _WORDS.items():
            for word in several(getattr(self, noun)):
                _check_on_record(session, noun, word, column)
        _check_games(session, (*several(self.game), *several(self.parent)))
        named: dict[str, dict[int, str]] = {}
        for noun in get_args(Noun):
            for name in several(getattr(self, noun)):
                named.setdefault(noun, {}).update(numbers_of(session, noun, name))
        for name in several(self.against):
            named.setdefault("against", {}).update(numbers_of(session, "agent", name))
        return Chosen(
            asked=self,
            named=named,
            live=sorted(run_now(session))
            if {"running", "paused"} & {*several(self.status)}
            else (),
        )


def several(value: Any) -> tuple[Any, ...]:
    """The values of a field of a selection: none, one, or as many as were given."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        return (_plain(value),)
    return tuple(_plain(each) for each in value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else operator.index(value)


def moment(said: Moment) -> datetime | None:
    """A time, from a date or a time in ISO 8601; without a zone it is the reader's own.

    Raises BadSelection for what is none.
    """
    if said is None:
        return None
    try:
        # Through a text also from a datetime: pandas has one that behaves differently.
        text = said.isoformat() if isinstance(said, datetime) else said.strip()
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadSelection(
            f"expected a date such as 2026-01-31 or a time such as 2026-01-31T18:00+01:00, found "
            f"{said!r}"
        ) from None
    try:
        return found.astimezone()
    except (OverflowError, ValueError, OSError):
        raise BadSelection(f"{said!r} is no date that games can have finished at") from None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A selection by the numbers of one database: `named` are the rows that were asked for by
    field, their names by number, and `live` the tournaments that somebody runs."""

    asked: Selection
    named: Mapping[str, Mapping[int, str]]
    live: Sequence[int]

    def of_games(self) -> list[ColumnElement[bool]]:
        """The conditions on the table of games."""
        seat = _SEATS.alias("chosen_seat")
        of_one = self._of_seat(seat)
        if not of_one:
            return self._of_place()
        return [*self._of_place(), exists().where(seat.c.game_id == _GAMES.c.id, *of_one)]

    def of_seats(self) -> list[ColumnElement[bool]]:
        """The conditions on the tables of games and of players, joined."""
        return [*self._of_place(), *self._of_seat(_SEATS)]

    def of_agents(self, agent_id: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The conditions on a column of agents' numbers."""
        found: list[ColumnElement[bool]] = []
        if "agent" in self.named:
            found.append(agent_id.in_([*self.named["agent"]]))
        parts = [
            _AGENTS.c[f"{noun}_id"].in_([*self.named[noun]])
            for noun in ("kind", "model", "prompt")
            if noun in self.named
        ]
        return [*found, agent_id.in_(select(_AGENTS.c.id).where(*parts))] if parts else found

    def _of_place(self) -> list[ColumnElement[bool]]:
        asked, games = self.asked, _GAMES.c
        found: list[ColumnElement[bool]] = [
            column.in_(values)
            for column, values in (
                (games.tournament_id, [*self.named.get("tournament", ())]),
                (games.environment_id, [*self.named.get("environment", ())]),
                (games.termination, several(asked.termination)),
                (games.id, several(asked.game)),
                (games.parent_game_id, several(asked.parent)),
                (func.coalesce(games.revision, 1), several(asked.revision)),
            )
            if values
        ]
        if asked.status:
            found.append(self._of_status(several(asked.status)))
        if asked.tag:
            tagged = select(_TAGS.c.game_id).where(_TAGS.c.tag.in_(several(asked.tag)))
            found.append(games.id.in_(tagged))
        if asked.since is not None:
            found.append(games.finished_at >= asked.since)
        if asked.until is not None:
            found.append(games.finished_at < asked.until)
        return found

    def _of_status(self, statuses: Sequence[str]) -> ColumnElement[bool]:
        games = _GAMES.c
        begun = games.status == "running"
        # A game without a tournament is played by whoever made it.
        held = or_(games.tournament_id.is_(None), games.tournament_id.in_(self.live))
        stored = [status for status in statuses if status in GAME_STATUSES and status != "running"]
        return or_(
            games.status.in_(stored) if stored else false(),
            and_(begun, held) if "running" in statuses else false(),
            and_(begun, ~held) if "paused" in statuses else false(),
        )

    def _of_seat(self, seat: FromClause) -> list[ColumnElement[bool]]:
        asked = self.asked
        found = self.of_agents(seat.c.agent_id)
        if asked.role:
            found.append(seat.c.role.in_(several(asked.role)))
        if asked.team:
            found.append(seat.c.team.in_(several(asked.team)))
        if asked.result:
            found.append(result_of(seat).in_(several(asked.result)))
        if "against" in self.named:
            other = _SEATS.alias("opponent")
            met = exists().where(
                other.c.game_id == seat.c.game_id,
                other.c.agent_id.in_([*self.named["against"]]),
                _on_another_team(seat, other),
            )
            found.append(met.correlate(seat))
        return found


def result_of(seat: FromClause) -> ColumnElement[Any]:
    """win, draw or loss of a row of `game_players` in a game of `games`; NULL without a result. It
    depends on every team of the game: the one that is first alone wins, those that share the first
    place draw."""
    others = _SEATS.alias("others")
    # However deep it stands in a question, the seat is that of the question.
    beaten = (
        exists()
        .where(others.c.game_id == seat.c.game_id, others.c.rank < seat.c.rank)
        .correlate(seat)
    )
    level = (
        exists()
        .where(
            others.c.game_id == seat.c.game_id,
            others.c.rank == seat.c.rank,
            _on_another_team(seat, others),
        )
        .correlate(seat)
    )
    return case(
        (or_(_GAMES.c.status != "completed", seat.c.rank.is_(None)), null()),
        (beaten, "loss"),
        (level, "draw"),
        else_="win",
    )


def _on_another_team(seat: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Of two seats of one game; a seat without a team is one of its own."""
    return or_(
        other.c.team != seat.c.team,
        and_(or_(other.c.team.is_(None), seat.c.team.is_(None)), other.c.id != seat.c.id),
    )


def _check(noun: str, asked: Iterable[str], known: Sequence[str]) -> None:
    for word in asked:
        if word not in known:
            raise BadSelection(f"unknown {noun} {word!r}: expected {', '.join(known)}")


def _check_on_record(
    session: Session | Connection, noun: str, word: str, column: ColumnElement[Any]
) -> None:
    if session.execute(select(column).where(column == word).limit(1)).first() is None:
        known = session.execute(select(column).distinct().where(column.is_not(None)))
        raise BadSelection(unknown(noun, word, [name for (name,) in known]))


def _check_games(session: Session | Connection, asked: Sequence[int]) -> None:
    there = {*session.scalars(select(_GAMES.c.id).where(_GAMES.c.id.in_(asked)))} if asked else ()
    for number in asked:
        if number not in there:
            raise BadSelection(f"there is no game {number}; `arena games` lists them")
