"""Logs as JSON for `--log-json`: an object a line, on standard error or at the end of a file.

The text of a line may be a stranger's: it is in ASCII, so that no character of it ends the line or
acts on a terminal, and without keys. A log that cannot be written ends, and says so once.
"""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

import typer

from arena.core.log_scope import scope_of

STDERR = "-"
_ROOTS = ("arena", "uvicorn.error")
_LONGEST = 4_000  # characters of a message


def log_as_json(context: typer.Context, target: str) -> None:
    """Until the command that is running ends, what is logged goes to this file as JSON; `-` is
    standard error, on which nothing else is said then. Raises UsageError for a file that cannot be
    written."""
    stderr = sys.stderr
    file = stderr if target == STDERR else _opened(target)
    handler = JsonLogHandler(file)
    said = _Lines(handler)
    if target == STDERR:
        sys.stderr = said
    before = {name: logging.getLogger(name).level for name in _ROOTS}
    for name in _ROOTS:
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(handler.level)

    def undo() -> None:
        for name in _ROOTS:
            logger = logging.getLogger(name)
            logger.removeHandler(handler)
            logger.setLevel(before[name])
        if target == STDERR:
            sys.stderr = stderr
            said.close()
        else:
            # What is left in it was said to be lost before.
            with suppress(OSError):
                file.close()

    # The root command's: what a command fails with is said after it has ended.
    context.find_root().call_on_close(undo)


def _opened(target: str) -> TextIO:
    from arena.core import UsageError

    def private(path: str, flags: int) -> int:
        return os.open(path, flags, 0o600)

    try:
        return open(target, "a", encoding="ascii", newline="\n", opener=private)
    except OSError as error:
        raise UsageError(
            f"the log {target} cannot be written ({error.strerror}): give another file, or `-` for "
            "standard error"
        ) from error


class JsonLogHandler(logging.Handler):
    """Writes lines to a stream."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(logging.INFO)
        self._stream = stream
        self._broken = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; whatever is wrong with it, whoever logs does not hear of it."""
        scope = scope_of(record)
        try:
            message = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                message += "\n" + "".join(traceback.format_exception(record.exc_info[1]))
        except Exception as error:
            message = f"a line that cannot be written ({type(error).__name__}): {record.msg!r:.200}"
        self.write(
            at=datetime.fromtimestamp(record.created, UTC).isoformat(),
            level=record.levelname.lower(),
            logger=record.name,
            tournament_id=scope.tournament_id,
            game_id=scope.game_id,
            agent_id=scope.agent_id,
            message=message,
        )

    def write(self, *, message: str, **fields: Any) -> None:
        """Write one object."""
        from arena.llm.secrets import scrub

        if self._broken:
            return
        line = json.dumps({**fields, "message": scrub(message[:_LONGEST])}, ensure_ascii=True)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._broken = True
            if not isinstance(sys.stderr, _Lines):
                from arena.cli.output import advise

                advise(f"the log cannot be written ({error}): it ends here, and the run goes on")


class _Lines(io.TextIOBase):
    """Takes the place of standard error: each line that is said there is logged by `arena.cli`."""

    def __init__(self, handler: JsonLogHandler) -> None:
        self._handler = handler
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            self._said(line)
        return len(text)

    def close(self) -> None:
        """Say what did not end in a newline."""
        self._said(self._begun)
        self._begun = ""

    def _said(self, line: str) -> None:
        level = next((level for word, level in _LEVELS if line.startswith(word)), "info")
        if line.strip():
            self._handler.write(
                at=datetime.now(UTC).isoformat(),
                level=level,
                logger="arena.cli",
                tournament_id=None,
                game_id=None,
                agent_id=None,
                message=line,
            )


_LEVELS = (("error: ", "error"), ("Error", "error"), ("note: ", "warning"), ("Traceback", "error"))
