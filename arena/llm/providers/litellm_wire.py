"""Sees on the connections of LiteLLM's requests what happens there, and when: whether a connection
was open before, when a request has left, when something of its answer came in.

LiteLLM sends by aiohttp: the class of a session's connections is replaced by one that looks at the
clock. Where a version does not let that be done, a trace tells when a request has left, and the
stopwatch is told when the loop comes to read what came.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from importlib import import_module
from typing import Any

from arena.llm.providers.stopwatch import Stopwatch, stopwatch

# Marks what was added to a session.
_OURS = object()

# Of Linux's struct tcp_info: tcpi_last_data_sent, tcpi_last_ack_sent, tcpi_last_data_recv, in
# milliseconds ago, as exact as the ticks of the kernel's clock, a hundred a second at the fewest.
_LAST = struct.Struct("=44x3I")
_TICK = 0.01

_reused: ContextVar[list[bool] | None] = ContextVar("reused", default=None)


def watch(session: Any) -> Callable[[], bool]:
    """Watch a session of aiohttp, for all of its requests; what comes back tells whether the
    request of this attempt goes over a connection that was open before, False for what is no such
    session."""
    seen: list[bool] = []
    _reused.set(seen)
    factory = getattr(getattr(session, "connector", None), "_factory", None)
    if not getattr(factory, "watched", False):
        _begin(session)
    return lambda: bool(seen)


def _begin(session: Any) -> None:
    """Make what this session sends known to the stopwatches of its attempts."""
    configs = getattr(session, "trace_configs", None)
    if not isinstance(configs, list) or _replace(getattr(session, "connector", None)):
        return
    # A trace is three times dearer, and tells less.
    if not any(config.trace_config_ctx() is _OURS for config in configs):
        config = import_module("aiohttp").TraceConfig(lambda trace_request_ctx=None: _OURS)
        # The head leaves with the first piece of the body.
        config.on_request_chunk_sent.append(_note_sent)
        config.freeze()
        configs.append(config)


def arrived(transport: Any) -> float | None:
    """How many seconds ago, at least, the last bytes came in at this end of a connection; None
    where the system does not say."""
    if sys.platform != "linux":
        return None
    try:
        told = transport.get_extra_info("socket").getsockopt(
            socket.IPPROTO_TCP, socket.TCP_INFO, _LAST.size
        )
        sent, _, received = _LAST.unpack(told)
    except (AttributeError, OSError, struct.error):
        return None
    # Both are zero where a system only pretends to know.
    return max(0.0, received / 1e3 - _TICK) if sent or received else None


async def _note_sent(*_: Any) -> None:
    stopwatch().sent()


def _replace(connector: Any) -> bool:
    """Make the connections of this connector look at the clock, where that can be done."""
    make = getattr(connector, "_factory", None)
    if not isinstance(make, partial) or not isinstance(make.func, type):
        return False
    if not hasattr(make.func, "start_timeout"):
        return False
    connector._factory = replaced = partial(_timed(make.func), *make.args, **make.keywords)
    replaced.watched = True  # type: ignore[attr-defined]
    return True


def _timed(handler: Any) -> Any:
    class TimedHandler(handler):  # type: ignore[misc]
        """aiohttp's side of one connection, which many requests use one after another."""

        stopwatch: Stopwatch | None = None
        used = False

        def set_response_params(self, **params: Any) -> None:
            # Called by the request that this connection was given to, and before it by one without
            # a timer that only opens a tunnel through a proxy: nothing of an attempt.
            if "timer" not in params:
                super().set_response_params(**params)
                return
            self.stopwatch = stopwatch()
            self.stopwatch.watched = True
            if self.used and (seen := _reused.get()) is not None:
                seen.append(True)
            self.used = True
            super().set_response_params(**params)

        def start_timeout(self) -> None:
            # Called when the last byte of a request was written.
            if self.stopwatch is not None:
                self.stopwatch.sent()
            super().start_timeout()

        def data_received(self, data: bytes) -> None:
            if data and self.stopwatch is not None:
                self.stopwatch.heard(partial(arrived, self.transport))
            super().data_received(data)

        def pause_reading(self, *how: Any, **named: Any) -> None:
            if self.stopwatch is not None:
                self.stopwatch.pausing()
            super().pause_reading(*how, **named)

        def resume_reading(self, *how: Any, **named: Any) -> None:
            if self.stopwatch is not None:
                self.stopwatch.resuming()
            super().resume_reading(*how, **named)

        def connection_lost(self, exc: BaseException | None) -> None:
            if self.stopwatch is not None:
                self.stopwatch.heard()
                self.stopwatch = None
            super().connection_lost(exc)

    return TimedHandler
