"""Puts what a run logs below `arena` on record, in batches, through the run's own recorder.

Nothing waits for it: what is logged while the queue is full is counted, and said afterwards.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from threading import Lock

from arena.core.log_scope import about, scope_of
from arena.llm.secrets import scrub
from db.errors import DatabaseError
from db.recorder import Recorder
from db.writer.execution_logs import Logged

EVERY_S = 0.25
QUEUE = 500
"""Lines between two batches."""
LONGEST = 2_000
"""Characters of a line; of what is longer the beginning is kept."""

_ROOT = "arena"
_REMEMBERED = 256  # texts that are not scrubbed anew


class RunLogHandler(logging.Handler):
    """Takes the lines of one run, whose `tournament_id` they are about; `flush_into` a recorder
    puts them on record. Lines of other runs in the process are left to theirs."""

    def __init__(self, tournament_id: int, level: int = logging.INFO, most: int = QUEUE) -> None:
        super().__init__(level)
        self.raised = False
        self.dropped = 0
        self._tournament_id = tournament_id
        self._most = most
        self._lines: deque[Logged] = deque()
        self._taking = Lock()
        self._scrubbed: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line; whatever is wrong with it, whoever logs does not hear of it."""
        scope = scope_of(record)
        if scope.tournament_id != self._tournament_id:
            return
        with self._taking:
            if len(self._lines) >= self._most:
                self.dropped += 1
                return
        try:
            message = self._text(record)
        except Exception as error:
            message = f"a line that cannot be written ({type(error).__name__}): {record.msg!r:.200}"
            message = scrub(message)
        line = Logged(
            at=datetime.fromtimestamp(record.created, UTC),
            level=max(0, record.levelno),
            logger=record.name or _ROOT,
            message=message,
            tournament_id=scope.tournament_id,
            game_id=scope.game_id or 0,
            agent_id=scope.agent_id,
        )
        with self._taking:
            self._lines.append(line)

    def _text(self, record: logging.LogRecord) -> str:
        said = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            said += "\n" + "".join(traceback.format_exception(record.exc_info[1]))
        said = said[:LONGEST]
        found = self._scrubbed.get(said)
        if found is None:
            # The faults of a provider come by the hundred, in the same words.
            if len(self._scrubbed) >= _REMEMBERED:
                self._scrubbed.clear()
            found = self._scrubbed[said] = scrub(said)
        return found

    def flush_into(self, recorder: Recorder) -> None:
        """Put what was logged so far on record; from the recorder's event loop."""
        with self._taking:
            lines, self._lines = self._lines, deque()
            dropped, self.dropped = self.dropped, 0
        if dropped:
            lines.append(
                Logged(
                    datetime.now(UTC),
                    logging.WARNING,
                    __name__,
                    f"{dropped:,} lines were dropped: more was logged than can be written",
                    self._tournament_id,
                )
            )
        if lines:
            # A database that takes no rows says so to the games.
            with suppress(DatabaseError):
                recorder.post(*lines)


@asynccontextmanager
async def run_logged(tournament_id: int, recorder: Recorder) -> AsyncIterator[None]:
    """What is logged below `arena` in the block, by whatever runs in it, is on record with the
    run."""
    handler = RunLogHandler(tournament_id)
    flushing = asyncio.create_task(_flush(handler, recorder))
    _attach(handler)
    try:
        with about(tournament_id=tournament_id):
            yield
    finally:
        _detach(handler)
        flushing.cancel()
        handler.flush_into(recorder)


async def _flush(handler: RunLogHandler, recorder: Recorder) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        handler.flush_into(recorder)


def _attach(handler: RunLogHandler) -> None:
    logger = logging.getLogger(_ROOT)
    logger.addHandler(handler)
    if logger.level == logging.NOTSET:
        logger.setLevel(handler.level)
        handler.raised = True


def _detach(handler: RunLogHandler) -> None:
    logger = logging.getLogger(_ROOT)
    logger.removeHandler(handler)
    if not handler.raised:
        return
    # Another run in this process still wants what this one had let through.
    others = [each for each in logger.handlers if isinstance(each, RunLogHandler)]
    if others:
        others[0].raised = True
    else:
        logger.setLevel(logging.NOTSET)
