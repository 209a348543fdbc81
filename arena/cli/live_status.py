"""Shows on stderr what changes while a command works: live in a terminal, in lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from arena.cli.output import console, print_line, safe

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_DRAW_EVERY = 0.2  # seconds
_LINE_EVERY = 10.0


class Screen:
    """A context manager; `clock` gives seconds and is only asked how often to draw."""

    def __init__(self, clock: Callable[[], float], stream: TextIO | None = None) -> None:
        self._clock = clock
        self._console = console(stream or sys.stderr)
        self._last_drawn: float | None = None
        self._unseen: Callable[[], str] | None = None
        self._live: Live | None = None

    @property
    def width(self) -> int:
        """Characters in a line."""
        return self._console.width

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            from rich.live import Live
            from rich.text import Text

            # Until the first report: checking the file and loading LiteLLM takes seconds.
            ready = Text("getting ready ...", "dim")
            self._live = Live(ready, console=self._console, auto_refresh=False, transient=True)
            self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        elif self._unseen is not None:
            self.say(self._unseen())

    def say(self, message: str) -> None:
        """Print a line, above the live view where there is one."""
        print_line(safe(message), self._console)

    def show(self, line: Callable[[], str], drawn: Callable[[], RenderableType]) -> None:
        """The state now, as a line or as it is drawn; skipped while the last is new enough."""
        now = self._clock()
        every = _DRAW_EVERY if self._live else _LINE_EVERY
        if self._last_drawn is not None and now - self._last_drawn < every:
            self._unseen = line
            return
        self._last_drawn = now
        self._unseen = None
        if self._live is not None:
            self._live.update(drawn(), refresh=True)
        else:
            self.say(line())
