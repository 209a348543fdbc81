"""Tells open pages that something has moved: one poller for all of them, over server-sent events.

What moved is not told, only that it did: a page asks for itself again. A viewer that is slow, or
gone, is told the newest state when it listens again, and nothing is kept for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from arena.core import UsageError
from arena.core.threads import in_thread
from arena.viewer.boards import BoardWorker
from arena.viewer.tracebacks import print_traceback
from arena.viewer.watching import Topic, state_of
from db import Database
from db.errors import DatabaseError
from db.watch import CommitWatch

EVERY_S = 0.5
MOST = 64
"""Streams at once."""
_ALL = 4
"""Looks after which everything is asked, whatever was committed: a process that was killed commits
nothing more."""
_QUIET_S = 15.0
"""Seconds of silence after which a comment is sent: a stream whose viewer is gone then ends."""


@dataclass(slots=True, eq=False)
class _Viewer:
    """One open stream: what it watches, and what it was told last."""

    topic: Topic
    told: tuple[str, str]
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Streams:
    """The open streams of one server. `states` says by topic how it is, while somebody watches it:
    ("moved", its state), or ("away", why the database cannot be read)."""

    def __init__(self, database: Database, worker: BoardWorker) -> None:
        self._database = database
        self._worker = worker
        self._computed = 0
        self._viewers: set[_Viewer] = set()
        self._states: dict[Topic, tuple[str, str]] = {}
        self._poller: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    async def answer(self, request: Request) -> Response:
        """A stream for a page: `about` is its topic, `state` how it was when the page was drawn."""
        try:
            topic = Topic.parsed(request.query_params.get("about", ""))
        except UsageError as error:
            return PlainTextResponse(f"{error}\n", 404)
        if len(self._viewers) >= MOST or self._closed:
            return PlainTextResponse(f"{MOST} pages are watched already: close some.\n", 503)
        viewer = _Viewer(topic, ("moved", request.query_params.get("state", "")))
        return StreamingResponse(self._told(viewer), media_type="text/event-stream")

    def close(self) -> None:
        """End every stream, and begin no other; from any thread, or a signal's handler."""
        self._closed = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for viewer in self._viewers:
            viewer.woken.set()

    async def _told(self, viewer: _Viewer) -> AsyncIterator[str]:
        self._viewers.add(viewer)
        if self._poller is None or self._poller.done():
            self._loop = asyncio.get_running_loop()
            self._poller = asyncio.create_task(self._poll())
        try:
            yield "retry: 2000\n\n"
            while not self._closed:
                state = self._states.get(viewer.topic)
                if state is not None and state != viewer.told:
                    viewer.told = state
                    yield f"event: {state[0]}\ndata: {json.dumps(state[1])}\n\n"
                    continue
                viewer.woken.clear()
                try:
                    await asyncio.wait_for(viewer.woken.wait(), _QUIET_S)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._viewers.discard(viewer)

    async def _poll(self) -> None:
        """Look as long as anybody watches."""
        looks = 0
        with CommitWatch(self._database) as watch:
            while self._viewers and not self._closed:
                topics = {viewer.topic for viewer in self._viewers}
                new = topics - self._states.keys()
                looks += 1
                found = await in_thread(self._look, watch, topics, looks % _ALL == 0 or bool(new))
                if found is not None and found != self._states:
                    self._states = found
                    self._wake()
                await asyncio.sleep(EVERY_S)
        self._states = {}

    def _look(
        self, watch: CommitWatch, topics: set[Topic], whatever: bool
    ) -> dict[Topic, tuple[str, str]] | None:
        """How the topics are; None where nobody has committed anything."""
        try:
            computed, before = self._worker.ended, self._computed
            if not watch.changed() and not whatever and computed == before:
                return None
            self._computed = computed
            with self._database.session(create=False) as session:
                return {topic: ("moved", state_of(session, topic, computed)) for topic in topics}
        except DatabaseError as error:
            # What is there by then is opened at the next look.
            self._database.close()
            watch.close()
            return dict.fromkeys(topics, ("away", str(error)))
        except Exception:
            # Whoever watches is told at a later look.
            print_traceback()
            return None
