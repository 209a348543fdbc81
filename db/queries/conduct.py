"""How agents behave: what their turns were like, and how many games that decided."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, distinct, func, select, text
from sqlmodel import Session, col

from db.models import Game, GamePlayer
from db.queries.played import Which

_PER_AGENT = """
SELECT c.agent_id, SUM(c.games), SUM(c.turns), SUM(c.invalid_actions), SUM(c.silences),
  SUM(c.refusals), SUM(c.overlongs), SUM(c.time_limits), SUM(c.decided)
FROM conduct c JOIN tournaments t ON t.id = c.tournament_id
{where}
GROUP BY c.agent_id ORDER BY c.agent_id
"""


@dataclass(frozen=True, slots=True)
class ConductRow:
    """An agent's finished games and turns, and in how many turns what went wrong; `decided` counts
    the games that a lapse or an invalid action of its own decided. Rates are 0 without turns."""

    agent_id: int
    games: int
    turns: int
    invalid_actions: int
    silences: int
    refusals: int
    overlongs: int
    time_limits: int
    decided: int

    @property
    def lapses(self) -> int:
        """Turns with a lapse: silence, refusal, overlong output or a time limit."""
        return self.silences + self.refusals + self.overlongs + self.time_limits

    @property
    def invalid_action_rate(self) -> float:
        """Invalid actions per turn."""
        return self._per_turn(self.invalid_actions)

    @property
    def silence_rate(self) -> float:
        """Silences per turn."""
        return self._per_turn(self.silences)

    @property
    def refusal_rate(self) -> float:
        """Refusals per turn."""
        return self._per_turn(self.refusals)

    @property
    def overlong_rate(self) -> float:
        """Overlong outputs per turn."""
        return self._per_turn(self.overlongs)

    @property
    def time_limit_rate(self) -> float:
        """Exceeded time limits per turn."""
        return self._per_turn(self.time_limits)

    @property
    def lapse_rate(self) -> float:
        """Lapses per turn."""
        return self._per_turn(self.lapses)

    @property
    def decided_rate(self) -> float:
        """The share of its games that it decided by a lapse or an invalid action."""
        return self.decided / self.games if self.games else 0.0

    def _per_turn(self, count: int) -> float:
        return count / self.turns if self.turns else 0.0


def conduct(
    session: Session,
    *,
    tournament_id: int | None = None,
    environment_id: int | None = None,
) -> dict[int, ConductRow]:
    """Conduct by agent_id, in a tournament, in an environment's tournaments, or in all of them."""
    conditions = []
    values: dict[str, int] = {}
    if tournament_id is not None:
        conditions.append("c.tournament_id = :tournament")
        values["tournament"] = tournament_id
    if environment_id is not None:
        conditions.append("t.environment_id = :environment")
        values["environment"] = environment_id
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = text(_PER_AGENT.format(where=where))
    return {
        int(agent_id): ConductRow(int(agent_id), *(int(count) for count in counts))
        for agent_id, *counts in session.connection().execute(query, values)
    }


def conduct_in(
    session: Session, which: Which, *, role: str | None = None, team: str | None = None
) -> dict[int, ConductRow]:
    """Conduct by agent_id in any set of rated games, in a role or a team only when one is named;
    counted from the games, where `conduct` reads what is counted already."""
    game, player = col(GamePlayer.game_id), GamePlayer
    counted = (
        player.turns, player.invalid_actions, player.silences, player.refusals, player.overlongs,
        player.time_limits,
    )  # fmt: skip
    query = (
        select(
            col(player.agent_id),
            func.count(distinct(game)),
            *(func.coalesce(func.sum(col(column)), 0) for column in counted),
            func.count(distinct(case((col(player.decided), game)))),
        )
        .join(Game, col(Game.id) == game)
        .where(*which.rated())
        .group_by(col(player.agent_id))
    )
    if role is not None:
        query = query.where(col(player.role) == role)
    if team is not None:
        query = query.where(col(player.team) == team)
    return {
        int(agent_id): ConductRow(int(agent_id), *(int(count) for count in counts))
        for agent_id, *counts in session.execute(query)
    }
