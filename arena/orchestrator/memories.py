"""What agents that remember bring to the games of a run, and what follows for their order.

A memory is a function of the games that the agent finished before this one in the schedule. With
such an agent all games of the tournament are played one after the other, so that the same
configuration, seed and replies give the same games whatever plays them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from arena.core.memory import KeyPoint, LastGame, Memory, memory_kept
from arena.core.text import one_line
from arena.core.threads import in_thread
from arena.game.seating import remembering_kind
from arena.orchestrator.catalogue import EnteredTournament
from db import Database, Session
from db.queries.memories import FinishedSeat, finished_seats, finished_tournaments
from db.queries.schedule import ScheduledGame
from db.queries.transcript import TurnRow, transcript

# Characters of a game that an agent is asked about: its end.
_SEEN = 8000
_REASON = 300


class Memories:
    """The memories of a tournament's agents. `models` are all that its games ask where those are
    played in order, none where any game may come first."""

    def __init__(self, entry: EnteredTournament, database: Database) -> None:
        self._tournament = entry.tournament_id
        self._database = database
        self._agents = frozenset(
            key for key, spec in entry.agents.items() if remembering_kind(spec.kind)
        )
        self._names = sorted(one_line(entry.agents[key].name, 60) for key in self._agents)
        models = {spec.model.name for spec in entry.everybody}
        self.models: set[str] = models if self._agents else set()

    @property
    def in_order(self) -> bool:
        """Whether games are played one after the other, in the order of the schedule."""
        return bool(self._agents)

    @property
    def news(self) -> tuple[str, ...]:
        """What people should know of a run with such agents."""
        if not self._names:
            return ()
        return (
            f"{', '.join(self._names)} {'remembers' if len(self._names) == 1 else 'remember'} "
            "earlier games: games are played one after the other, in the order of the schedule",
        )

    def waits(self, game_id: int) -> str:
        """Why a run stops in which a game waits for an answer from outside."""
        return (
            f"game {game_id} waits for an answer, and an agent remembers its games: the next one "
            "is played when this one has ended"
        )

    async def given(self, game: ScheduledGame) -> tuple[Memory | None, ...]:
        """What each player of a game brings of earlier ones, by player_index."""
        if self._agents.isdisjoint(game.agents):
            return ()
        return await in_thread(self._database.reconnecting, lambda s: self._given(s, game))

    def _given(self, session: Session, game: ScheduledGame) -> tuple[Memory | None, ...]:
        found: dict[int, Memory] = {}
        given: list[Memory | None] = []
        for agent in game.agents:
            if agent not in self._agents:
                given.append(None)
            elif agent in found:
                # One seat of an agent writes about a game, the others know what was known.
                given.append(replace(found[agent], last=None))
            else:
                place = game.schedule_index
                found[agent] = memory_of(session, self._tournament, agent, place)
                given.append(found[agent])
        return tuple(given)


def memory_of(session: Session, tournament_id: int, agent_id: int, place: int) -> Memory:
    """What an agent brings to a game at this place of a tournament's schedule. Raises Damaged for
    rows that are not as they were written."""
    games: list[int] = []
    last: LastGame | None = None
    before = Memory()
    for seat in finished_seats(session, tournament_id, agent_id, place):
        if games and seat.game_id == games[-1]:
            continue
        games.append(seat.game_id)
        if last is not None:
            continue
        turns = [
            turn
            for turn in transcript(session, seat.game_id, calls=False)
            if turn.player_index == seat.player_index
        ]
        if turns and (kept := memory_kept(turns[0].reading)) is not None:
            before, last = kept, last_game(seat, turns)
    return Memory(len(games), before.points, last)


@dataclass(frozen=True, slots=True)
class AgentMemory:
    """What an agent would bring to its next game of a tournament: `games` is how many it has
    finished there, `unwritten` the place of the one about which it has not written yet."""

    tournament: str
    games: int
    unwritten: int | None
    points: tuple[KeyPoint, ...]


def agent_memories(session: Session, agent_id: int) -> list[AgentMemory]:
    """The memories of an agent in the tournaments in which it has finished games. Raises Damaged
    for rows that are not as they were written."""
    found = []
    for tournament_id, name, end in finished_tournaments(session, agent_id):
        memory = memory_of(session, tournament_id, agent_id, end)
        unwritten = None if memory.last is None else memory.last.place
        found.append(AgentMemory(name, memory.games, unwritten, memory.points))
    return found


def last_game(seat: FinishedSeat, turns: list[TurnRow]) -> LastGame:
    """A finished game as a seat saw it. `turns` are those of the seat."""
    seen, action = str(turns[-1].observation), turns[-1].action or ""
    shown = seen if len(seen) <= _SEEN else f"[…]\n{seen[-_SEEN:]}"
    did = f"{shown}\n\nYour last answer: {one_line(action, _REASON)}"
    return LastGame(seat.schedule_index, did, result_of(seat))


def result_of(seat: FinishedSeat) -> str:
    """How a game came out for a seat, in a sentence or two for its model."""
    who = f"You were player {seat.player_index}"
    if seat.role is not None:
        who += f", {one_line(seat.role, 80)}"
    if seat.team is not None:
        who += f" ({one_line(seat.team, 80)})"
    rank = "your rank is not known" if seat.rank is None else f"you finished {seat.rank + 1}."
    why = "" if not seat.reason else f" {one_line(seat.reason, _REASON)}"
    return f"The game has ended. {who}; {rank}{why}"
