"""What calls took by the phase of the game and by what they were for: of a sample of games, since
every call of them is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlmodel import Session, col

from db.keys import calls_of_game
from db.models import SideCall
from db.queries.keyset import newest_games
from db.selection import Selection

_AT_ONCE = 500  # values in one statement

# A call's key holds its game, its turn and its player (`db.keys`).
_CALLS = text(
    "SELECT g.id, (c.game_turn_id >> 8) & 65535, c.call_number, c.attempt, c.error_class, "
    "c.cached, c.prompt_tokens, c.response_tokens, COALESCE(c.charged, c.cost, 0.0), "
    "c.total_response_time_ms FROM games g CROSS JOIN llm_calls c "
    "WHERE g.id IN :games AND c.id >= g.id * 4294967296 AND c.id < (g.id + 1) * 4294967296 "
    "AND c.id >= :first AND c.id < :last"
).bindparams(bindparam("games", expanding=True))
_PHASES = text(
    "SELECT game_id, turn, phase, MIN(seq) FROM game_events WHERE game_id IN :games "
    "AND turn IS NOT NULL AND phase IS NOT NULL GROUP BY game_id, turn, phase"
).bindparams(bindparam("games", expanding=True))


@dataclass(frozen=True, slots=True)
class CallCosts:
    """What some calls took: `calls` attempts, `failed` of them without an answer; dollars are those
    that count against a budget; `milliseconds` the sum of those that were answered."""

    name: str
    calls: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    response_tokens: int = 0
    dollars: float = 0.0
    milliseconds: float = 0.0

    @property
    def tokens(self) -> int:
        """Sent and received."""
        return self.prompt_tokens + self.response_tokens

    @property
    def seconds_a_call(self) -> float | None:
        """The mean of the answered calls; None without any."""
        answered = self.calls - self.failed
        return self.milliseconds / answered / 1000 if answered else None


@dataclass(frozen=True, slots=True)
class SampledCosts:
    """The calls of `games` games, those with the most dollars and tokens first: by the `phases` of
    their turns, "" where no event tells one, and by what they were for."""

    games: int
    phases: tuple[CallCosts, ...]
    purposes: tuple[CallCosts, ...]


FIRST = "a turn's first question"
FURTHER = "further questions of a turn: notes, second thoughts"
AGAIN = "again after a failure"
ON_RECORD = "answered from the record"


def sampled_costs(session: Session, selection: Selection, games: int) -> SampledCosts:
    """The calls of the newest `games` finished games of a selection. Raises BadSelection for what
    is not on record."""
    chosen = replace(selection, status="completed").on(session)
    keys = newest_games(session, chosen, games)
    phases: dict[str, list[float]] = {}
    purposes: dict[str, list[float]] = {}
    for at in range(0, len(keys), _AT_ONCE):
        some = keys[at : at + _AT_ONCE]
        named: dict[tuple[int, int], tuple[int, str]] = {}
        connection = session.connection()
        for game, turn, phase, seq in connection.execute(_PHASES, {"games": some}):
            first = named.get((game, turn))
            if first is None or seq < first[0]:
                named[game, turn] = (seq, phase)
        given = {
            "games": some,
            "first": calls_of_game(min(some))[0],
            "last": calls_of_game(max(some))[1],
        }
        for game, turn, number, attempt, error, cached, *took in connection.execute(_CALLS, given):
            _add(phases, named.get((game, turn), (0, ""))[1], error, took)
            purpose = ON_RECORD if cached else AGAIN if attempt else FURTHER if number else FIRST
            _add(purposes, purpose, error, took)
    return SampledCosts(len(keys), _sorted(phases), _sorted(purposes))


def side_costs(session: Session) -> tuple[CallCosts, ...]:
    """Calls that no player made, by who asked: readers, embeddings, questions of people."""
    query: Any = select(
        col(SideCall.purpose),
        func.count(),
        func.count(col(SideCall.error_class)),
        func.coalesce(func.sum(col(SideCall.prompt_tokens)), 0),
        func.coalesce(func.sum(col(SideCall.response_tokens)), 0),
        func.coalesce(func.sum(func.coalesce(col(SideCall.charged), col(SideCall.cost))), 0.0),
        func.coalesce(func.sum(col(SideCall.total_response_time_ms)), 0.0),
    ).group_by(col(SideCall.purpose))
    return tuple(
        CallCosts(str(name), int(n), int(failed), int(sent), int(got), float(dollars), float(ms))
        for name, n, failed, sent, got, dollars, ms in session.execute(query)
    )


def _add(sums: dict[str, list[float]], name: str, error: Any, took: Sequence[Any]) -> None:
    row = sums.setdefault(name, [0.0] * 6)
    prompt, response, dollars, milliseconds = took
    values: Iterable[float] = (
        1, error is not None, prompt or 0, response or 0, dollars or 0.0,
        0.0 if error is not None else milliseconds or 0.0,
    )  # fmt: skip
    for at, value in enumerate(values):
        row[at] += float(value)


def _sorted(sums: dict[str, list[float]]) -> tuple[CallCosts, ...]:
    found = [
        CallCosts(name, int(n), int(failed), int(sent), int(got), dollars, ms)
        for name, (n, failed, sent, got, dollars, ms) in sums.items()
    ]
    return tuple(sorted(found, key=lambda row: (-row.dollars, -row.tokens, row.name)))
