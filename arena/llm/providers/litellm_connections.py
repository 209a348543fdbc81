"""Gives every provider connections of its own, where LiteLLM would share one set in a process.

LiteLLM looks for its HTTP clients in a cache of its module, and closes all of them together: the
calls of others that are in flight would fail, and be paid for twice. Here what it finds there
belongs to the provider whose call this is; other users of LiteLLM find what they always did.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib import import_module
from typing import Any

_used: ContextVar[Any] = ContextVar("connections", default=None)


class Connections:
    """The HTTP clients of one provider, made by LiteLLM when a call needs them."""

    def __init__(self, litellm: Any) -> None:
        _separate(litellm)
        self._litellm = litellm
        self._clients = litellm.LLMClientCache()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Inside, LiteLLM finds and keeps its clients here."""
        token = _used.set(self._clients)
        try:
            yield
        finally:
            _used.reset(token)

    async def aclose(self) -> None:
        """Close all of them. Calls that are made later have new ones."""
        before, self._clients = self._clients, self._litellm.LLMClientCache()
        for client in before.cache_dict.values():
            # Those of the SDKs and LiteLLM's own have httpx's inside.
            inner = getattr(client, "_client", None) or getattr(client, "client", None) or client
            close = getattr(inner, "aclose", None) or inner.close
            # One of an event loop that has ended is closed as far as it can be.
            with suppress(RuntimeError):
                closing = close()
                if inspect.isawaitable(closing):
                    await closing


class _Current:
    """Stands in the module's place for whatever belongs to the call that asks."""

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> Any:
        return getattr(self._find(), name)


def _separate(litellm: Any) -> None:
    """Make LiteLLM look for its clients among those of the call; again changes nothing."""
    shared = litellm.in_memory_llm_clients_cache
    if isinstance(shared, _Current):
        return
    handlers = import_module(f"{litellm.__name__}.llms.custom_httpx.http_handler")
    # Found now, not at the first call.
    make = handlers.get_async_httpx_client

    def cache() -> Any:
        mine = _used.get()
        return shared if mine is None else mine

    def client() -> Any:
        options = {"timeout": litellm.request_timeout, "client_alias": "module level aclient"}
        return make("litellm_module_level_client", options)

    litellm.in_memory_llm_clients_cache = _Current(cache)
    # Some streams are sent by this one, which would be the first caller's for good.
    litellm.module_level_aclient = _Current(client)
