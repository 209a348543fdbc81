"""Gives LiteLLM what was received without it, as its own transport would have."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import httpx

from arena.llm.providers.lean.wire import Received
from arena.llm.providers.litellm_transport import AT_ONCE, raise_lost


def replayed(request: httpx.Request, came: Received) -> httpx.Response:
    """What LiteLLM's transport would have given, or raised, for what came."""
    theirs = import_module("litellm.llms.custom_httpx.aiohttp_transport")
    if came.status is None:
        assert came.error is not None
        try:
            with theirs.map_aiohttp_exceptions():
                raise came.error
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise_lost(error, request, at_once=came.reused and came.answering < AT_ONCE)
    return httpx.Response(
        came.status,
        headers=[*came.headers.items()],
        stream=theirs.AiohttpResponseStream(_Came(came)),
        request=request,
    )


class _Came:
    """Stands in the place of aiohttp's response, of which all has come that will."""

    def __init__(self, came: Received) -> None:
        self._came = came

    @property
    def content(self) -> _Came:
        return self

    async def iter_chunked(self, size: int) -> Any:
        for at in range(0, len(self._came.body), size):
            yield bytes(self._came.body[at : at + size])
        if self._came.error is not None:
            raise self._came.error

    def close(self) -> None:
        return

    async def __aexit__(self, *_: object) -> None:
        return
