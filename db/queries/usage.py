"""What games took, per agent: calls, tokens, dollars, seconds and errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, case, distinct, func, select, text
from sqlmodel import Session, col

from db.models import Game, GamePlayer, GameTurn, LLMCall

if TYPE_CHECKING:
    from db.queries.played import Which

_PER_AGENT = """
SELECT p.agent_id, COUNT(DISTINCT p.game_id), COUNT(DISTINCT t.id), COUNT(c.id),
  COUNT(CASE WHEN c.error_class = 'Orphaned' OR (c.id IS NOT NULL AND g.status <> 'running'
    AND c.response_received_at IS NULL AND c.error_class IS NULL) THEN 1 END),
  COUNT(CASE WHEN c.error_class <> 'Orphaned' THEN 1 END),
  COALESCE(SUM(c.prompt_tokens), 0), COALESCE(SUM(c.response_tokens), 0), SUM(c.cost),
  AVG(c.total_response_time_ms)
FROM game_players p JOIN games g ON g.id = p.game_id
LEFT JOIN game_turns t ON t.game_id = p.game_id AND t.player_index = p.player_index
  AND (g.parent_turn IS NULL OR t.turn_number >= g.parent_turn)
LEFT JOIN llm_calls c ON c.game_turn_id = t.id
{where}
GROUP BY p.agent_id ORDER BY p.agent_id
"""
_INVALID = """
SELECT p.agent_id, SUM(p.invalid_actions) FROM game_players p JOIN games g ON g.id = p.game_id
{where}
GROUP BY p.agent_id
"""


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


def usage(
    session: Session,
    *,
    tournament_id: int | None = None,
    environment_id: int | None = None,
) -> dict[int, UsageRow]:
    """Usage by agent_id, void games included: they were paid for too."""
    conditions = []
    values: dict[str, int] = {}
    if tournament_id is not None:
        conditions.append("g.tournament_id = :tournament")
        values["tournament"] = tournament_id
    if environment_id is not None:
        conditions.append("g.environment_id = :environment")
        values["environment"] = environment_id
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    invalid = {
        int(agent_id): int(count or 0)
        for agent_id, count in session.execute(text(_INVALID.format(where=where)), values)
    }
    rows = {}
    for row in session.execute(text(_PER_AGENT.format(where=where)), values):
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
    def failure_rate(self) -> float | None:
        """Failed calls per call, None without calls."""
        return self.failed_calls / self.calls if self.calls else None


def rated_usage(
    session: Session, which: Which, *, role: str | None = None, team: str | None = None
) -> dict[int, RatedUsageRow]:
    """What the agents' rated games took, by agent_id, in a role or a team only when one is named.
    Reads every turn and call of them."""
    part = []
    if role is not None:
        part.append(col(GamePlayer.role) == role)
    if team is not None:
        part.append(col(GamePlayer.team) == team)
    rated = [*which.rated(), *part]
    dead = [col(Game.status) == "void", *which.place(), *part]
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
        )
    return rows


def void_games(session: Session, which: Which) -> dict[int, int]:
    """How many games an agent sat in that came to nothing, by agent_id, every attempt counted."""
    query = (
        select(col(GamePlayer.agent_id), func.count(distinct(col(GamePlayer.game_id))))
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .where(col(Game.status) == "void", *which.place())
        .group_by(col(GamePlayer.agent_id))
    )
    return {int(agent_id): int(count) for agent_id, count in session.execute(query)}


def _turns(value: Any, conditions: list[ColumnElement[bool]]) -> Any:
    return (
        select(col(GamePlayer.agent_id).label("agent"), value.label("value"))
        .select_from(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(
            GameTurn,
            (col(GameTurn.game_id) == col(GamePlayer.game_id))
            & (col(GameTurn.player_index) == col(GamePlayer.player_index)),
        )
        .where(value.is_not(None), *conditions)
    )


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
    return case((col(LLMCall.error_class) != "Orphaned", 1), else_=0)


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
        )
        .select_from(GamePlayer)
        .join(Game, col(Game.id) == col(GamePlayer.game_id))
        .join(
            GameTurn,
            (col(GameTurn.game_id) == col(GamePlayer.game_id))
            & (col(GameTurn.player_index) == col(GamePlayer.player_index)),
            isouter=True,
        )
        .join(LLMCall, col(LLMCall.game_turn_id) == col(GameTurn.id), isouter=True)
        .where(*conditions)
        .group_by(col(GamePlayer.agent_id))
        .order_by(col(GamePlayer.agent_id))
    )


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
