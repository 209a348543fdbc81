"""A worker's body: plays the tasks that its parent sends, wherever it runs.

It knows no database. What a game needs of the outside is asked of the parent, but for the calls to
models, which leave from here.
"""

from __future__ import annotations

import asyncio
import gc
import io
import itertools
import pickle
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from arena.core import ArenaError, ModelSpec, UsageError
from arena.core.collector import set_aside
from arena.core.log_scope import about
from arena.core.threads import in_thread
from arena.executors.workers.outbox import Packet
from arena.executors.workers.shared import NotPlainData
from arena.executors.workers.worker_log import WorkerLogHandler
from arena.game.journal import Journal, JournalEntry, RecordedElsewhere, Recording, told
from arena.game.task import Ports
from arena.llm.chunks import ChunkStock
from arena.llm.clearance import CallNeeds, Grant, Returned
from arena.llm.client import Client
from arena.llm.providers.protocol import Answer


class WorkerBody:
    """The games of a worker, and what they share; made on the event loop that plays them.

    `name` is what the parent calls the worker by; `tell` sends a message to the parent, and gives
    one that cannot be pickled to `unsendable`. What comes from the parent goes to `received`. On
    another machine, the `node` of this name, the keys of models are looked for before a game.
    """

    def __init__(
        self, name: str, tell: Callable[[Packet], None], *, node: str | None = None
    ) -> None:
        self.tell = tell
        self._name = name
        self._node = node
        self._games: dict[int, RemotePorts] = {}
        self._playing: dict[int, asyncio.Task[None]] = {}
        self._cancelled: set[int] = set()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count()
        self._shared: dict[int, Any] = {}
        self._unloaded: list[ModelSpec] = []
        self._loading: asyncio.Future[None] | None = None
        self._recordings: dict[Recording, asyncio.Future[Callable[[int], Journal]]] = {}
        self._opened: list[Any] = []
        self._said: set[str] = set()
        self.chunks = ChunkStock(
            lambda chunk_id, calls: self.tell((-1, -1, "returned", (chunk_id, calls)))
        )
        WorkerLogHandler(lambda game, line: self.tell((game, -1, "log", line))).attach()

    async def ask(self, game: int, what: str, value: Any) -> Any:
        """What the parent answers. Raises what was raised there."""
        request = next(self._numbers)
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[request] = waiting
        self.tell((game, request, what, value))
        try:
            return await waiting
        finally:
            self._waiting.pop(request, None)

    def received(self, messages: list[Packet]) -> None:
        """Take what the parent has sent together."""
        for message in messages:
            match message:
                case ("reply", request, value, error, wanted, game):
                    self._replied(request, value, error, wanted, game)
                case ("share", number, data):
                    self._share(number, data)
                case ("play", number, data):
                    task = asyncio.get_running_loop().create_task(self._play(number, data))
                    self._playing[number] = task
                    task.add_done_callback(partial(self._played_out, number))
                case ("chunk", chunk):
                    self.chunks.add(chunk)
                case ("recall", model):
                    self.chunks.return_all(model)
                case ("unwanted", number):
                    if number in self._games:
                        self._games[number].still_wanted = False
                case ("cancel", number):
                    if number in self._playing:
                        self._cancelled.add(number)
                        self._playing[number].cancel()

    def _share(self, number: int, data: bytes) -> None:
        try:
            shared = self._shared[number] = self._unpickled(data)
        except NotPlainData as error:
            # Raised for each game that has a part in it.
            self._shared[number] = error
        else:
            if isinstance(shared, ModelSpec):
                self._unloaded.append(shared)

    def _played_out(self, number: int, task: asyncio.Task[None]) -> None:
        del self._playing[number]
        self._cancelled.discard(number)

    def _replied(
        self, request: int, value: Any, error: ArenaError | None, wanted: bool, game: int
    ) -> None:
        if game in self._games:
            self._games[game].still_wanted = wanted
        waiting = self._waiting.get(request)
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(value)
        else:
            waiting.set_exception(error)

    def unsendable(self, message: Packet, error: Exception) -> None:
        """A plug-in has put something into a record that no other process can have."""
        game, request, what, _ = message
        if what == "done":
            self.tell((game, request, what, (False, _told(error))))
        elif request in self._waiting:
            self._waiting[request].set_exception(error)

    async def _play(self, number: int, data: bytes) -> None:
        try:
            result = True, await self._played(number, data)
        except asyncio.CancelledError as error:
            if number in self._cancelled:
                return
            result = False, _told(RuntimeError(f"the game cancelled work of its own: {error!r}"))
        except Exception as error:
            result = False, _told(error)
        self.tell((number, -1, "done", result))

    async def _played(self, number: int, data: bytes) -> Any:
        play, task, client, answers, elsewhere, wanted = self._unpickled(data)
        await self._load(client)
        own = None if elsewhere is None else (await self._recording(elsewhere))
        remote = self._games[number] = RemotePorts(self, number, wanted, own)
        try:
            # Also while the game waits: what a model is given to recover is not our lag.
            with client.lag.watched(), about(game_id=number):
                return await play(task, Ports(remote, remote, client, remote if answers else None))
        finally:
            del self._games[number]
            for said in client.news:
                if said not in self._said:
                    self._said.add(said)
                    self.tell((number, -1, "news", said))

    async def _load(self, client: Client) -> None:
        """Return once what calls to the models need is there."""
        if self._unloaded:
            models, self._unloaded = self._unloaded, []
            self._loading = asyncio.ensure_future(
                _loaded(client, models, self._loading, self._node)
            )
        if self._loading is not None:
            await asyncio.shield(self._loading)

    async def _recording(self, elsewhere: RecordedElsewhere) -> Journal:
        """The journal of a game that this process records itself."""
        opening = self._recordings.get(elsewhere.recording)
        if opening is None:
            # Closed by nobody: it is open for as long as there is a parent to play for.
            opened = elsewhere.recording.opened(self._name)
            opening = asyncio.ensure_future(opened.__aenter__())
            self._recordings[elsewhere.recording] = opening
            self._opened.append(opened)
        return (await asyncio.shield(opening))(elsewhere.game_id)

    def _unpickled(self, data: bytes) -> Any:
        try:
            return _TaskUnpickler(data, self._shared).load()
        except NotPlainData:
            raise
        except Exception as error:
            raise NotPlainData.of(error) from error


class _TaskUnpickler(pickle.Unpickler):
    """Reads what `arena.executors.workers.shared` writes."""

    def __init__(self, data: bytes, shared: Mapping[int, Any]) -> None:
        super().__init__(io.BytesIO(data))
        self._shared = shared

    def persistent_load(self, number: Any) -> Any:
        shared = self._shared[number]
        if isinstance(shared, NotPlainData):
            raise shared
        return shared


async def _loaded(
    client: Client,
    models: Sequence[ModelSpec],
    before: asyncio.Future[None] | None,
    node: str | None,
) -> None:
    if before is not None:
        await before
    gc.disable()
    try:
        await in_thread(client.load, models)
        if node is not None:
            for model in models:
                client.check_keys(model)
    except UsageError as error:
        if node is None:
            raise
        raise UsageError(f"on the node {node} of the cluster: {error}") from error
    finally:
        set_aside()
        gc.enable()


def _told(error: Exception) -> Exception:
    """An error as the parent can have it, with where it was raised here if that is a bug."""
    if isinstance(error, ArenaError):
        return error
    told = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 — its own
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"in a worker process:\n{told}")
    return error


class RemotePorts:
    """The journal, the clearance and the answers of a game, which are the parent's, unless the game
    is recorded here, in a journal of its `own`."""

    def __init__(
        self, body: WorkerBody, game: int, wanted: bool, own: Journal | None = None
    ) -> None:
        self._body = body
        self._game = game
        self._own = own
        self.still_wanted = wanted

    async def append(self, *entries: JournalEntry) -> None:
        """Returns when all of them are durable (`arena.game.journal.Journal`)."""
        if self._own is None:
            await self._body.ask(self._game, "append", entries)
        else:
            await self._own.append(*entries)
            self._body.tell((self._game, -1, "recorded", told(entries)))

    def wanted(self) -> bool:
        """Whether the run still wants the game to go on, as far as that has been told."""
        return self.still_wanted

    async def get(self, request_hash: str) -> Answer | None:
        """The answer on record (`arena.llm.cache.Answers`)."""
        found: Answer | None = await self._body.ask(self._game, "get", request_hash)
        return found

    async def ask(self, needs: CallNeeds) -> Grant:
        """Leave for a call (`arena.llm.clearance.Clearance`), from a chunk that is here, or else
        from the parent."""
        now = asyncio.get_running_loop().time()
        if (found := self._body.chunks.take(needs)) is not None:
            taken, grant = found
            self._body.tell((self._game, -1, "took", (taken, now)))
            return grant
        asked: Grant = await self._body.ask(self._game, "ask", (needs, now))
        return asked

    def give_back(self, returned: Returned) -> None:
        """Say how a granted call ended."""
        self._body.chunks.ended(returned.grant_id)
        self._body.tell((self._game, -1, "give_back", returned))

    async def wait(self, seconds: float) -> None:
        """Wait before another attempt."""
        await self._body.ask(self._game, "wait", seconds)
