"""What was spent: calls, tokens, dollars and errors, per agent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

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
