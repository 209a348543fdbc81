"""What agents that remember bring to the games of a run, and what follows for their order.

A memory is a function of the games that the agent finished before this one in the schedule. With
such an agent all games of the tournament are played one after the other, so that the same
configuration, seed and replies give the same games whatever plays them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from arena.config import TournamentConfig
from arena.core.memory import Memory
from arena.core.text import one_line
from arena.core.threads import in_thread
from arena.game.seating import remembering_kind
from arena.orchestrator.catalogue import EnteredTournament
from arena.reports.memory import memory_of
from db import Database, Session
from db.queries.schedule import ScheduledGame


def learners(config: TournamentConfig) -> tuple[str, ...]:
    """The agents of a file that remember earlier games, by name: with any, games are played one
    after the other."""
    return tuple(sorted(agent.name for agent in config.agents if remembering_kind(agent.kind)))


def said_in_order(names: Sequence[str]) -> str:
    """What people should know of a tournament with such agents."""
    shown = ", ".join(one_line(name, 60) for name in names)
    return (
        f"{shown} {'remembers' if len(names) == 1 else 'remember'} earlier games: games are played "
        "one after the other, in the order of the schedule"
    )


class Memories:
    """The memories of a tournament's agents. `models` are all that its games ask where those are
    played in order, none where any game may come first."""

    def __init__(self, entry: EnteredTournament, database: Database) -> None:
        self._tournament = entry.tournament_id
        self._database = database
        self.agents = frozenset(
            key for key, spec in entry.agents.items() if remembering_kind(spec.kind)
        )
        self._names = sorted(entry.agents[key].name for key in self.agents)
        models = {spec.model.name for spec in entry.everybody}
        self.models: set[str] = models if self.agents else set()

    @property
    def in_order(self) -> bool:
        """Whether games are played one after the other, in the order of the schedule."""
        return bool(self.agents)

    @property
    def news(self) -> tuple[str, ...]:
        """What people should know of a run with such agents."""
        if not self._names:
            return ()
        return (said_in_order(self._names),)

    def waits(self, game_id: int) -> str:
        """Why a run stops in which a game waits for an answer from outside."""
        return (
            f"game {game_id} waits for an answer, and an agent remembers its games: the next one "
            "is played when this one has ended"
        )

    async def given(self, game: ScheduledGame) -> tuple[Memory | None, ...]:
        """What each player of a game brings of earlier ones, by player_index."""
        if self.agents.isdisjoint(game.agents):
            return ()
        return await in_thread(self._database.reconnecting, lambda s: self._given(s, game))

    def _given(self, session: Session, game: ScheduledGame) -> tuple[Memory | None, ...]:
        found: dict[int, Memory] = {}
        given: list[Memory | None] = []
        for agent in game.agents:
            if agent not in self.agents:
                given.append(None)
            elif agent in found:
                # One seat of an agent writes about a game, the others know what was known.
                given.append(replace(found[agent], last=None))
            else:
                place = game.schedule_index
                found[agent] = memory_of(session, self._tournament, agent, place)
                given.append(found[agent])
        return tuple(given)
