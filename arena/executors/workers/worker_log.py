"""What is logged in a worker process goes to its parent, which logs it as its own game's."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from arena.core.log_scope import LogScope, said_of, scope_now

_ROOT = "arena"
_LONGEST = 4_000  # characters of a line


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """A line as plain data."""

    created: float
    level: int
    logger: str
    message: str


class WorkerLogHandler(logging.Handler):
    """Hands lines on with the number of the game in which they were logged, on the event loop in
    which it is made."""

    def __init__(self, tell: Callable[[int, WorkerLine], None]) -> None:
        super().__init__(logging.INFO)
        self._tell = tell
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        game = scope_now().game_id
        if game is None:
            return
        try:
            message = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                message += "\n" + "".join(traceback.format_exception(record.exc_info[1]))
        except Exception as error:
            message = f"a line that cannot be written ({type(error).__name__}): {record.msg!r:.200}"
        line = WorkerLine(record.created, record.levelno, record.name, message[:_LONGEST])
        # A plug-in may log in a thread.
        self._loop.call_soon_threadsafe(self._tell, game, line)

    def attach(self) -> None:
        """Take what is logged below `arena` from now on."""
        logger = logging.getLogger(_ROOT)
        logger.addHandler(self)
        logger.setLevel(self.level)


def log_again(line: WorkerLine, scope: LogScope) -> None:
    """Log a worker's line in this process; the `scope` is that of its game."""
    logger = logging.getLogger(line.logger)
    if not logger.isEnabledFor(line.level):
        return
    record = logger.makeRecord(
        line.logger, line.level, "(worker)", 0, line.message, (), None, extra=said_of(scope)
    )
    record.created = line.created
    logger.handle(record)
