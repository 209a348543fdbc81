"""The games of a run that wait for people: what they are asked, and which of them can go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from arena.core import AgentSpec, Pause
from arena.core.people import PERSON, GivenAnswer
from arena.core.threads import in_thread
from arena.orchestrator.catalogue import EnteredTournament
from arena.orchestrator.stopping import Stop
from db import Database, Repository, Session
from db.errors import Busy, DatabaseError
from db.queries.requests import answered_requests, closed_turns, open_turn
from db.queries.schedule import ScheduledGame

# Seconds between two looks for answers.
_EVERY = 0.3


def is_person(agent: AgentSpec) -> bool:
    """Whether a person holds the agent's seat."""
    return agent.model.provider == PERSON


class SeatedPeople:
    """Those who hold seats in the games of a run. `go_on` is given the games that can go on, each
    once. `wait` says that the run waits for answers when nothing else is left to play."""

    def __init__(
        self,
        entry: EnteredTournament,
        database: Database,
        stop: Stop,
        go_on: Callable[[Sequence[ScheduledGame]], None],
        *,
        wait: bool,
    ) -> None:
        self._entry = entry
        self._database = database
        self._stop = stop
        self._go_on = go_on
        self._wait = wait
        self._any = any(map(is_person, entry.everybody))
        self._waiting: dict[int, tuple[ScheduledGame, int]] = {}
        self._back: set[int] = set()
        self._woken = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many games wait for a person now."""
        return len(self._waiting)

    def given(self, session: Session, game: ScheduledGame) -> tuple[GivenAnswer, ...]:
        """What people have answered in a game."""
        if not self._any:
            return ()
        return tuple(GivenAnswer(*row) for row in answered_requests(session, game.game_id))

    async def suspended(self, game: ScheduledGame, revision: int) -> bool:
        """Ask the person for whose answer a game was suspended; False where it waits for something
        else."""
        if not self._any:
            return False
        turn = await in_thread(self._database.reconnecting, lambda s: self._ask(s, game))
        if turn is None:
            return False
        begun = replace(game, begun=True, revision=game.revision or revision)
        self._waiting[game.game_id] = (begun, turn)
        return True

    def _ask(self, session: Session, game: ScheduledGame) -> int | None:
        waits = open_turn(session, game.game_id)
        if waits is None:
            return None
        turn, player = waits
        playing = player < len(game.agents)
        agent = self._entry.agents[game.agents[player]] if playing else self._entry.referee
        if agent is None or not is_person(agent):
            return None
        limit = agent.options.get("time_limit")
        Repository(session).ask_for_turn(
            game.game_id,
            turn,
            str(agent.options.get("person") or agent.name),
            type="move" if playing else "verdict",
            time_limit=None if limit is None else float(limit),
        )
        return turn

    async def look(self) -> None:
        """Hand over the games whose people have answered, or whose time is over. Raises
        DatabaseError."""
        if not self._waiting:
            return
        closed = await in_thread(self._database.reconnecting, self._closed)
        found = [game for key, (game, turn) in self._waiting.items() if (key, turn) in closed]
        for game in found:
            del self._waiting[game.game_id]
            self._back.add(game.game_id)
        if found:
            self._woken.set()
            self._go_on(found)

    def _closed(self, session: Session) -> set[tuple[int, int]]:
        Repository(session).lapse_requests([*self._waiting])
        return closed_turns(session, [*self._waiting])

    def came_back(self, game: ScheduledGame) -> bool:
        """Whether a game that begins now had begun in this run and waited for a person."""
        back = game.game_id in self._back
        self._back.discard(game.game_id)
        return back

    async def watch(self) -> None:
        """Look again and again, until cancelled. Stops the run where that cannot be done: nobody
        would hear of an answer."""
        try:
            while self._any:
                await asyncio.sleep(_EVERY)
                # Whoever writes now is done before the next look.
                with suppress(Busy):
                    await self.look()
        except DatabaseError as error:
            self._stop.request(str(error))

    async def one_goes_on(self) -> bool:
        """Whether a game can go on since this was asked, whoever has found it; where the run waits
        for people, returns when one can, or when the run stops. Raises DatabaseError."""
        self._woken.clear()
        with suppress(Busy):
            await self.look()
        if self._wait and self._waiting:
            with suppress(Pause):
                await self._stop.unless(self._woken.wait())
        return self._woken.is_set()
