"""The parent's side of one worker: the games that it plays, and what they say and ask."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from arena.core.execution import PortsT, ResultT, TaskT
from arena.executors.workers.outbox import Packet
from arena.executors.workers.served import ServedGame
from arena.executors.workers.shared import SharedParts
from arena.game.journal import Delegates
from arena.llm.handed_out import HandedOut


class GamesThere:
    """The games that one worker plays. `send` sends to it; `progressed` is
    called whenever a turn of one of its games is durable; `told` with what its providers have to
    say; `name` is what the worker records under. What comes from it goes to `received`."""

    def __init__(
        self,
        send: Callable[[Packet], None],
        progressed: Callable[[], None],
        told: Callable[[str], None],
        name: str,
    ) -> None:
        self._send = send
        self._progressed = progressed
        self._told = told
        self._parts = SharedParts(send)
        self._numbers = itertools.count()
        self._chunks = HandedOut(
            lambda chunk: send(("chunk", chunk)),
            lambda model: send(("recall", model)),
            name,
            lambda: len(self._games),
        )
        self._games: dict[int, ServedGame] = {}
        self._gone = False

    def __len__(self) -> int:
        return len(self._games)

    async def play(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: Any
    ) -> ResultT:
        """What `play(task, ports)` returns there. Raises what it raises, WorkerLost when the
        worker ends before it does, NotPlainData for what cannot be sent."""
        journal = ports.journal
        elsewhere = journal.elsewhere if isinstance(journal, Delegates) else None
        data = self._parts.written(
            (play, task, ports.client, ports.answers is not None, elsewhere, journal.wanted())
        )
        number = next(self._numbers)
        game = self._games[number] = ServedGame(
            number, ports, self._send, self._chunks, self._progressed
        )
        self._send(("play", number, data))
        try:
            result: ResultT = await game.ended
            return result
        except asyncio.CancelledError:
            self._send(("cancel", number))
            raise
        finally:
            del self._games[number]
            await game.closed()

    def received(self, messages: list[Packet]) -> None:
        """Take what the worker has sent together."""
        for number, request, what, value in messages:
            game = self._games.get(number)
            if what == "news":
                self._told(value)
            elif what == "returned":
                self._chunks.returned(*value)
            elif game is not None:
                game.asked(request, what, value)
            elif what == "took":
                self._chunks.took(value[0], None)

    def unsendable(self, message: Packet, error: Exception) -> None:
        """What a plug-in's cache answers, or its error says. Raises TypeError for what is ours."""
        what, *_, number = message
        if what != "reply":
            raise TypeError(f"{what} cannot be sent to a worker") from error
        if number in self._games:
            bug = TypeError(f"an answer cannot be sent to a worker: {error}")
            self._games[number].fail(bug)

    def lost(self, message: str, worker: str) -> None:
        """The worker is gone, which records under this name: its games end with WorkerLost. Does
        nothing the second time."""
        if self._gone:
            return
        self._gone = True
        self._chunks.gone(sum(not game.ended.done() for game in self._games.values()))
        for game in self._games.values():
            game.lost(message, worker)
