"""What a tournament's record says, without what may differ between two runs of the same games.

Left out are times, numbers of rows and attempts, orphans and failed attempts: two records of the
same tournament with the same replies are equal or something was lost, doubled or changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Table as SQLTable
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from db import Agent, Game, Tournament, get_session
from db.models.columns import Table
from db.models.games import COUNTS
from db.queries.transcript import CallRow, transcript
from torture.server import digest_of

ORPHANED = "Orphaned"

_GAME = ("id", "tournament_id", "environment_id", "parent_game_id", "attempt", "created_at",
         "started_at", "finished_at")  # fmt: skip
_TURN = ("game_id", "observed_at", "acted_at", "response_time_ms", "calls")
_CALL = ("call_id", "game_id", "call_index", "attempt", "request_sent_at",
         "response_received_at", "total_response_time_ms", "lag_ms",
         "first_token_ms")  # fmt: skip
# Of the counters, what does not depend on what was lost and asked again.
_COUNTED = ("agent", "role", "team", "seats", "games", "again", *COUNTS, "decided",
            "eliminated", "observed", "votes", "votes_against", "saves", "mortal", "survived",
            "claims_true", "claims_false", "accusations_true", "accusations_false")  # fmt: skip
_KEYS = ("id", "game_id", "tournament_id", "environment_id", "pool_id", "updated_at")


@dataclass(frozen=True, slots=True)
class Facts:
    """`games` by their place in the schedule: the finished ones, with players and turns. `ratings`
    are the pools' rows, `changes` what each game did to each agent in each pool, in the order of
    the fold; `counters` every other count that is kept of agents."""

    games: Mapping[int, Any]
    ratings: list[Any]
    changes: list[Any]
    counters: list[Any]


@dataclass(frozen=True, slots=True)
class Census:
    """Rows by what they are, over all attempts at all games of a tournament.

    Calls are counted by the digest of their messages. `unanswered` are attempts without an end,
    `orphans` those of them that are named as such, `charged` the orphans that count against a
    budget. `turns` are rows by place in the schedule, `finished` finished games by it.
    """

    calls: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)
    finished: Counter[int] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)


def read_facts(url: str, tournament: str) -> Facts:
    """The facts of a tournament that has its database to itself."""
    with get_session(url, create=False) as session:
        names = {agent.id: agent.label for agent in session.exec(select(Agent))}
        games = _games(session, tournament)
        places = {game.id: game.schedule_index for game in games}
        players = _table(session, "game_players")
        return Facts(
            games={
                game.schedule_index or 0: {
                    "game": _without(_row(session, "games", game.id), _GAME),
                    "players": [_named(row, names) for row in players if row["game_id"] == game.id],
                    "turns": [
                        _without(asdict(turn), _TURN)
                        | {"calls": [_call(c) for c in turn.calls if _gave_an_answer(c)]}
                        for turn in transcript(session, game.id or 0)
                    ],
                }
                for game in games
                if game.status == "completed"
            },
            ratings=_sorted(
                [
                    _named(row, names) | {"pool": _pool(session, row["pool_id"])}
                    for row in _table(session, "agent_trueskill")
                ]
            ),
            changes=_sorted(
                [
                    {
                        "place": places.get(row["game_id"]),
                        "pool": _pool(session, row["pool_id"]),
                        **_named(row, names),
                    }
                    for row in _table(session, "rating_changes")
                ]
            ),
            counters=_sorted(
                [
                    {name: value for name, value in _named(row, names).items() if name in _COUNTED}
                    for row in _table(session, "counters")
                    if not row["void"]
                ]
            ),
        )


def read_census(url: str, tournament: str) -> Census:
    """Counts every row of a tournament's games."""
    census = Census()
    with get_session(url, create=False) as session:
        for game in _games(session, tournament):
            place = game.schedule_index or 0
            census.statuses[game.status] += 1
            census.finished[place] += game.status == "completed"
            for turn in transcript(session, game.id or 0):
                census.turns[place] += 1
                for call in turn.calls:
                    _count(census, call)
    return census


def _count(census: Census, call: CallRow) -> None:
    digest = digest_of(call.messages)
    census.calls[digest] += 1
    if _gave_an_answer(call):
        census.answered[digest] += 1
    elif call.error_class is None or call.error_class == ORPHANED:
        census.unanswered[digest] += 1
    else:
        census.failed[digest] += 1


def read_orphans(url: str) -> tuple[int, int]:
    """How many calls are named as orphans, and how many of those are charged."""
    with get_session(url, create=False) as session:
        orphans = [r for r in _table(session, "llm_calls") if r["error_class"] == ORPHANED]
    return len(orphans), sum(1 for row in orphans if row.get("charged") is not None)


def read_dollars(url: str) -> float:
    """What the record says was spent: the charge of every call, at worst what was reserved."""
    with get_session(url, create=False) as session:
        return sum(
            row.get("charged") or row.get("reserved") or row["cost"] or 0.0
            for row in _table(session, "llm_calls")
        )


def differences(first: Any, second: Any, path: str = "") -> list[str]:
    """Where two values differ, each as a path with both values, cut short."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        found = []
        for key in {**first, **second}:
            if key not in first or key not in second:
                found.append(f"{path}/{key}: only in the {'first' if key in first else 'second'}")
            else:
                found += differences(first[key], second[key], f"{path}/{key}")
        return found
    if isinstance(first, list) and isinstance(second, list):
        found = []
        if len(first) != len(second):
            found.append(f"{path}: {len(first)} entries and {len(second)}")
        for index, (one, other) in enumerate(zip(first, second, strict=False)):
            found += differences(one, other, f"{path}/{index}")
        return found
    # Floats are equal to the last bit, or they differ.
    same = repr(first) == repr(second)
    return [] if same else [f"{path}: {str(first)[:80]!r} and {str(second)[:80]!r}"]


def _games(session: Session, tournament: str) -> list[Game]:
    query = select(Game).join(Tournament, col(Game.tournament_id) == Tournament.id)
    return list(session.exec(query.where(Tournament.name == tournament).order_by(col(Game.id))))


def _gave_an_answer(call: CallRow) -> bool:
    return call.answered and call.error_class is None


def _call(call: CallRow) -> dict[str, Any]:
    return _without(asdict(call), _CALL)


def _table(session: Session, name: str) -> list[dict[str, Any]]:
    table: SQLTable | None = Table.metadata.tables.get(name)
    if table is None:
        return []
    # A server gives rows that were changed in another order.
    ordered = rows_of(table).order_by(*table.primary_key)
    return [dict(row) for row in session.connection().execute(ordered).mappings()]


def _row(session: Session, name: str, key: Any) -> dict[str, Any]:
    table = Table.metadata.tables[name]
    statement = rows_of(table).where(table.c.id == key)
    return dict(session.connection().execute(statement).mappings().one())


def _pool(session: Session, key: int) -> dict[str, Any]:
    row = _row(session, "rating_pools", key)
    row["of"] = "tournament" if row["tournament_id"] else "environment"
    return _without(row, _KEYS)


def _without(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def _named(row: Mapping[str, Any], names: Mapping[Any, str]) -> dict[str, Any]:
    return {**_without(row, (*_KEYS, "agent_id")), "agent": names[row["agent_id"]]}


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row.get("place") or 0, str(row["agent"]), str(row)))
