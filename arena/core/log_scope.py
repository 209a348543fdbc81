"""What a line of a log is about: the tournament, the game and the agent, by their numbers.

The scope goes along with a task and the threads that it starts, so that whatever logs below `arena`
by the standard logging module says what it is about without knowing it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class LogScope:
    """None for what a line is not about."""

    tournament_id: int | None = None
    game_id: int | None = None
    agent_id: int | None = None


_scope: ContextVar[LogScope] = ContextVar("log_scope", default=LogScope())  # noqa: B039


@contextmanager
def about(**numbers: int) -> Iterator[None]:
    """What is logged inside the block is about this as well: fields of a `LogScope`."""
    before = _scope.set(replace(_scope.get(), **numbers))
    try:
        yield
    finally:
        _scope.reset(before)


def scope_now() -> LogScope:
    """What would be logged here is about."""
    return _scope.get()


def scope_of(record: logging.LogRecord) -> LogScope:
    """What a line is about: what its `extra` says (`said_of`), else where it was logged."""
    found: Any = getattr(record, "log_scope", None)
    return found if isinstance(found, LogScope) else _scope.get()


def said_of(scope: LogScope | None = None, **numbers: int | None) -> dict[str, LogScope]:
    """The `extra` of a line that is about this as well as what the `scope`, or the place where it
    is logged, is about."""
    return {"log_scope": replace(scope or _scope.get(), **numbers)}
