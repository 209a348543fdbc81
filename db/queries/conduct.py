"""How agents behave: what their turns were like, and how many games that decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, distinct, func, select
from sqlmodel import Session, col

from db.models import Conduct, Game, GamePlayer, Tournament
from db.models.games import COUNTS
from db.queries.games import RATED
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class ConductRow:
    """An agent's finished games and its turns in them, counted as in `GamePlayer`; `decided` counts
    the games that a lapse or an invalid action of its own decided, `eliminated` those in which the
    rules threw it out for one. Rates are 0 without turns."""

    agent_id: int
    games: int
    turns: int
    invalid_actions: int
    silences: int
    refusals: int
    overlongs: int
    time_limits: int
    targets: int
    targets_several: int
    targets_none: int
    notes: int
    notes_lost: int
    decided: int
    eliminated: int

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
    def unclear_rate(self) -> float:
        """The share of the turns in which it was to choose a player that named several or none."""
        return (self.targets_several + self.targets_none) / self.targets if self.targets else 0.0

    @property
    def lost_notes_rate(self) -> float:
        """The share of its rewritten notes that could not be read."""
        return self.notes_lost / self.notes if self.notes else 0.0

    @property
    def decided_rate(self) -> float:
        """The share of its games that it decided by a lapse or an invalid action."""
        return self.decided / self.games if self.games else 0.0

    def _per_turn(self, count: int) -> float:
        return count / self.turns if self.turns else 0.0


def conduct(session: Session, selection: Selection | None = None) -> dict[int, ConductRow]:
    """Conduct by agent_id in the finished games of tournaments, from what is counted already.

    Raises BadSelection for what is not on record, and for anything but tournaments and
    environments.
    """
    selection = selection or Selection()
    selection.allow("tournament", "environment", what="counted conduct")
    chosen = selection.on(session)
    counters = ("games", *COUNTS, "decided", "eliminated")
    query: Any = (
        select(col(Conduct.agent_id), *(func.sum(getattr(Conduct, name)) for name in counters))
        .join(Tournament, col(Tournament.id) == col(Conduct.tournament_id))
        .group_by(col(Conduct.agent_id))
        .order_by(col(Conduct.agent_id))
    )
    for noun, column in (
        ("tournament", col(Tournament.id)),
        ("environment", col(Tournament.environment_id)),
    ):
        if noun in chosen.named:
            query = query.where(column.in_([*chosen.named[noun]]))
    return _rows(session, query)


def conduct_in(session: Session, selection: Selection) -> dict[int, ConductRow]:
    """Conduct by agent_id in the seats of a selection, of rated games alone; counted from the
    games, where `conduct` reads what is counted already."""
    game, player = col(GamePlayer.game_id), GamePlayer
    query: Any = (
        select(
            col(player.agent_id),
            func.count(distinct(game)),
            *(func.coalesce(func.sum(getattr(player, name)), 0) for name in COUNTS),
            func.count(distinct(case((col(player.decided), game)))),
            func.count(distinct(case((col(player.eliminated_turn).is_not(None), game)))),
        )
        .join(Game, col(Game.id) == game)
        .where(*RATED, *selection.on(session).of_seats())
        .group_by(col(player.agent_id))
    )
    return _rows(session, query)


def _rows(session: Session, query: Any) -> dict[int, ConductRow]:
    return {
        int(agent_id): ConductRow(int(agent_id), *(int(count) for count in counts))
        for agent_id, *counts in session.execute(query)
    }
