"""What games took, per agent: calls, tokens, dollars, seconds and errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, distinct, func, select
from sqlmodel import Session, col

from db.latencies import quantile
from db.models import Game, GamePlayer, GameTurn, LLMCall
from db.models.calls import ORPHANED
from db.models.counters import MONEY
from db.queries.counters import AgentCounts, agent_counts
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
    response_tokens: int
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
            response_tokens=completed,
            cost=None if row[8] is None else float(row[8]),
            mean_ms=None if row[9] is None else float(row[9]),
            invalid_actions=invalid.get(agent_id, 0),
        )
    return rows


@dataclass(frozen=True, slots=True)
class FinishedUsage:
    """What an agent's finished games took.

    `cost` is in dollars, None when an answered call had no price. Seconds are medians: of a turn
    from the observation to the action, of an answered call from the request to the answer, both to
    2.2 percent (`db.latencies`); None where nothing is on record. `calls` and `failed_calls`, of
    models, and `tool_calls` and `tool_failures` count those of void games too: a fault is what most
    of them died of.
    """

    agent_id: int
    games: int
    turns: int
    calls: int
    failed_calls: int
    prompt_tokens: int
    response_tokens: int
    cost: float | None
    turn_seconds: float | None
    call_seconds: float | None
    cached_tokens: int = 0
    tool_calls: int = 0
    tool_failures: int = 0

    @classmethod
    def of(cls, agent_id: int, counts: AgentCounts) -> FinishedUsage:
        """What the counters of an agent say."""
        finished, void = counts.finished, counts.void
        # What has no price is not free: a call that was answered without one hides the sum.
        known = finished.priced and not finished.unpriced
        return cls(
            agent_id=agent_id,
            games=counts.games,
            turns=finished.observed,
            calls=finished.calls + void.calls,
            failed_calls=finished.failed + void.failed,
            prompt_tokens=finished.prompt_tokens,
            response_tokens=finished.response_tokens,
            cost=finished.cost / MONEY if known else None,
            turn_seconds=_seconds(quantile(finished.turn_ms, 0.5)),
            call_seconds=_seconds(quantile(finished.call_ms, 0.5)),
            cached_tokens=finished.cached_tokens,
            tool_calls=finished.tool_calls + void.tool_calls,
            tool_failures=finished.tool_failures + void.tool_failures,
        )

    @property
    def cost_per_game(self) -> float | None:
        """Dollars a game, None when nothing had a price."""
        return self.cost / self.games if self.cost is not None and self.games else None

    @property
    def tokens_per_turn(self) -> float | None:
        """Tokens sent and received a turn, None when none are on record."""
        tokens = self.prompt_tokens + self.response_tokens
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


def finished_usage(session: Session, selection: Selection) -> dict[int, FinishedUsage]:
    """What the agents' finished games took, by agent_id, of the seats of a selection; of agents
    that have any. Raises BadSelection for what is not on record."""
    counts = agent_counts(session, selection)
    return {key: FinishedUsage.of(key, each) for key, each in counts.items() if each.games}


def _of_seat() -> ColumnElement[bool]:
    game = col(GameTurn.game_id) == col(GamePlayer.game_id)
    return game & (col(GameTurn.player_index) == col(GamePlayer.player_index))


def _failed() -> ColumnElement[int]:
    # A call that was in flight when its process ended is not the provider's fault.
    return case((col(LLMCall.error_class) != ORPHANED, 1), else_=0)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
