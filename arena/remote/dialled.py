"""Plays with a program that dials in: through the relay of this process, or of another one that
plays in the same run and was first at the port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from arena.remote.http import HttpProgram
from arena.remote.relay import DialInRelay, token_hash


class DialledProgram:
    """A program that asks at `port` whether it is its turn. `token` reads its token when it is
    needed; `limit` is the seconds that one answer may take."""

    def __init__(self, port: int, name: str, token: Callable[[], str], limit: float) -> None:
        self._port = port
        self._name = name
        self._token = token
        self._relay: DialInRelay | None = None
        self._opening = asyncio.Lock()
        address = f"http://127.0.0.1:{port}/turns/{name}"
        self._http = HttpProgram(address, lambda: token_hash(token()), limit)

    async def hello(self) -> bytes:
        """Who the program says it is. Raises Fault while it is away."""
        await self._open()
        return await self._http.hello()

    async def ask(self, message: Mapping[str, Any]) -> bytes:
        """The answer to a turn. Raises Malfunction, and Fault while it is away."""
        await self._open()
        return await self._http.ask(message)

    async def tell(self, message: Mapping[str, Any]) -> None:
        """What needs no answer, where the program is there."""
        await self._http.tell(message)

    async def aclose(self) -> None:
        """Close the relay, if it is ours."""
        await self._http.aclose()
        relay, self._relay = self._relay, None
        if relay is not None:
            await asyncio.to_thread(relay.close)

    async def _open(self) -> None:
        async with self._opening:
            if self._relay is not None:
                return
            # Another process of the run may listen there, and this one when that has ended.
            relay = DialInRelay(self._port, self._name, token_hash(self._token()))
            if await asyncio.to_thread(relay.open):
                self._relay = relay
