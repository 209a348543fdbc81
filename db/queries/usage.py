"""What games took, per agent: calls, tokens, dollars, seconds and errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, distinct, func, select
from sqlmodel import Session, col

from db.models import Game, GamePlayer, GameTurn, LLMCall
from db.models.calls import ORPHANED
from db.queries.games import RATED
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What an agent's games have used, a branch's from its first turn of its own.

    `orphans` are calls that were in flight when their process ended, failed calls are the others
    that gave no answer; `cost` is None when no call had a price; milliseconds are the mean of the
    answered calls.
    """

    agent_id: int
    games: int
    turns: int
    calls: int
    orphans: int
    failed_calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    mean_ms: float | None
    invalid_actions: int


def usage(session: Session, selection: Selection | None = None) -> dict[int, UsageRow]:
    """Usage of the seats of a selection by agent_id, void games included: they were paid for too.
    Reads every turn and call of them."""
    of_seats = (selection or Selection()).on(session).of_seats()
    lost = (
        col(LLMCall.id).is_not(None)
        & (col(Game.status) != "running")
        & col(LLMCall.response_received_at).is_(None)
        & col(LLMCall.error_class).is_(None)
    )
    own = col(Game.parent_turn).is_(None) | (col(GameTurn.turn_number) >= col(Game.parent_turn))
    agent = col(GamePlayer.agent_id)
    query: Any = (
        select(
            agent,
            func.count(distinct(col(GamePlayer.game_id))),
            func.count(distinct(col(GameTurn.id))),
            func.count(col(LLMCall.id)),
            func.count(case((lost | (col(LLMCall.error_class) == ORPHANED), 1))),
            func.coalesce(func.sum(_failed()), 0),
            func.coalesce(func.sum(col(LLMCall.prompt_tokens)), 0),
            func.coalesce(func.sum(col(LLMCall.response_tokens)), 0),
            func.sum(col(LLMCall.cost)),
            func.avg(col(LLMCall.total_response_time_ms)),
        )
        .select_from(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(GameTurn, _of_seat() & own, isouter=True)
        .join(LLMCall, col(LLMCall.game_turn_id) == col(GameTurn.id), isouter=True)
        .where(*of_seats)
        .group_by(agent)
        .order_by(agent)
    )
    refused: Any = (
        select(agent, func.sum(col(GamePlayer.invalid_actions)))
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .where(*of_seats)
        .group_by(agent)
    )
    invalid = {int(agent_id): int(count or 0) for agent_id, count in session.execute(refused)}
    rows = {}
    for row in session.execute(query):
        agent_id = int(row[0])
        games, turns, calls, orphans, failed, prompted, completed = (int(n) for n in row[1:8])
        rows[agent_id] = UsageRow(
            agent_id=agent_id,
            games=games,
            turns=turns,
            calls=calls,
            orphans=orphans,
            failed_calls=failed,
            prompt_tokens=prompted,
            completion_tokens=completed,
            cost=None if row[8] is None else float(row[8]),
            mean_ms=None if row[9] is None else float(row[9]),
            invalid_actions=invalid.get(agent_id, 0),
        )
    return rows


@dataclass(frozen=True, slots=True)
class RatedUsageRow:
    """What an agent's rated games took.

    `cost` is in dollars, None when an answered call had no price. Seconds are medians: of a turn
    from the observation to the action, of an answered call from the request to the answer; None
    where nothing is on record. `calls` and `failed_calls` count those of void games too: a fault is
    what most of them died of.
    """

    agent_id: int
    games: int
    turns: int
    calls: int
    failed_calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None
    turn_seconds: float | None
    call_seconds: float | None
    cached_tokens: int = 0

    @property
    def cost_per_game(self) -> float | None:
        """Dollars a game, None when nothing had a price."""
        return self.cost / self.games if self.cost is not None and self.games else None

    @property
    def tokens_per_turn(self) -> float | None:
        """Tokens sent and received a turn, None when none are on record."""
        tokens = self.prompt_tokens + self.completion_tokens
        return tokens / self.turns if tokens and self.turns else None

    @property
    def cached_share(self) -> float | None:
        """How many of the tokens sent the provider had cached, from 0 to 1; None where it said
        nothing of any."""
        if not self.cached_tokens or not self.prompt_tokens:
            return None
        return self.cached_tokens / self.prompt_tokens

    @property
    def failure_rate(self) -> float | None:
        """Failed calls per call, None without calls."""
        return self.failed_calls / self.calls if self.calls else None


def rated_usage(session: Session, selection: Selection) -> dict[int, RatedUsageRow]:
    """What the agents' rated games took, by agent_id, of the seats of a selection. Reads every turn
    and call of them."""
    of_seats = selection.on(session).of_seats()
    rated = [*RATED, *of_seats]
    dead = [col(Game.status) == "void", *of_seats]
    answered = col(LLMCall.error_class).is_(None) & col(LLMCall.response_received_at).is_not(None)
    turn_ms = _medians(session, _turns(col(GameTurn.response_time_ms), rated))
    call_ms = _medians(
        session, _calls(_turns(col(LLMCall.total_response_time_ms), [*rated, answered]))
    )
    void_calls = {
        int(row[0]): (int(row[1]), int(row[2])) for row in session.execute(_failures(dead))
    }
    rows = {}
    for row in session.execute(_sums(rated)):
        agent_id = int(row[0])
        games, turns, calls, failed, prompted, completed = (int(n) for n in row[1:7])
        more_calls, more_failed = void_calls.get(agent_id, (0, 0))
        rows[agent_id] = RatedUsageRow(
            agent_id=agent_id,
            games=games,
            turns=turns,
            calls=calls + more_calls,
            failed_calls=failed + more_failed,
            prompt_tokens=prompted,
            completion_tokens=completed,
            cost=None if row[7] is None else float(row[7]),
            turn_seconds=_seconds(turn_ms.get(agent_id)),
            call_seconds=_seconds(call_ms.get(agent_id)),
            cached_tokens=int(row[8]),
        )
    return rows


def _turns(value: Any, conditions: list[ColumnElement[bool]]) -> Any:
    return (
        select(col(GamePlayer.agent_id).label("agent"), value.label("value"))
        .select_from(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(
            GameTurn,
            _of_seat(),
        )
        .where(value.is_not(None), *conditions)
    )


def _of_seat() -> ColumnElement[bool]:
    game = col(GameTurn.game_id) == col(GamePlayer.game_id)
    return game & (col(GameTurn.player_index) == col(GamePlayer.player_index))


def _calls(query: Any) -> Any:
    return query.join(LLMCall, col(LLMCall.game_turn_id) == col(GameTurn.id))


def _medians(session: Session, query: Any) -> dict[int, float]:
    """The median of `value` by `agent`; neither database has one of its own in common."""
    found = query.subquery()
    placed = select(
        found.c.agent,
        found.c.value,
        func.row_number().over(partition_by=found.c.agent, order_by=found.c.value).label("place"),
        func.count().over(partition_by=found.c.agent).label("number"),
    ).subquery()
    twice = 2 * placed.c.place
    middle = (twice >= placed.c.number) & (twice <= placed.c.number + 2)
    statement = (
        select(placed.c.agent, func.avg(placed.c.value)).where(middle).group_by(placed.c.agent)
    )
    return {int(agent): float(value) for agent, value in session.execute(statement)}


def _failed() -> ColumnElement[int]:
    # A call that was in flight when its process ended is not the provider's fault.
    return case((col(LLMCall.error_class) != ORPHANED, 1), else_=0)


def _unpriced() -> ColumnElement[int]:
    answered = col(LLMCall.response_received_at).is_not(None) & col(LLMCall.error_class).is_(None)
    return case((answered & col(LLMCall.cost).is_(None), 1), else_=0)


def _failures(conditions: list[ColumnElement[bool]]) -> Any:
    counts = (func.count(col(LLMCall.id)), func.coalesce(func.sum(_failed()), 0))
    return (
        _calls(_turns(col(LLMCall.id), conditions))
        .with_only_columns(col(GamePlayer.agent_id), *counts)
        .group_by(col(GamePlayer.agent_id))
    )


def _sums(conditions: list[ColumnElement[bool]]) -> Any:
    return (
        select(
            col(GamePlayer.agent_id),
            func.count(distinct(col(GamePlayer.game_id))),
            func.count(distinct(col(GameTurn.id))),
            func.count(col(LLMCall.id)),
            func.coalesce(func.sum(_failed()), 0),
            func.coalesce(func.sum(col(LLMCall.prompt_tokens)), 0),
            func.coalesce(func.sum(col(LLMCall.response_tokens)), 0),
            # What has no price is not free: a call that was answered without one hides the sum.
            case((func.coalesce(func.sum(_unpriced()), 0) == 0, func.sum(col(LLMCall.cost)))),
            func.coalesce(func.sum(col(LLMCall.cached_tokens)), 0),
        )
        .select_from(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(
            GameTurn,
            _of_seat(),
            isouter=True,
        )
        .join(LLMCall, col(LLMCall.game_turn_id) == col(GameTurn.id), isouter=True)
        .where(*conditions)
        .group_by(col(GamePlayer.agent_id))
        .order_by(col(GamePlayer.agent_id))
    )


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
