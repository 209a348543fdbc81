"""What hears of a run as it happens, beside its record: no game depends on it.

All of it is told in the process that has the run, whichever process plays a game.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from arena.core import AgentSpec
from arena.core.plugins import raised
from arena.game.journal import JournalEntry
from arena.game.loop import GameResult

_log = logging.getLogger(__name__)


class RunListener(Protocol):
    """Hears of one run. It is called on the event loop of the run, so that it does not wait for
    anything; whatever it raises is logged, and it hears nothing more."""

    def run_begins(self, tournament_id: int, tournament: str) -> None: ...

    def run_ends(self, stopped: str | None) -> None:
        """The run ends; `stopped` says why games are left, None where none is."""
        ...

    def game_begins(self, game_id: int, environment: str, seats: Sequence[AgentSpec]) -> None:
        """A game is played, or played on; `seats` are its agents by player_index, the referee
        behind them."""
        ...

    def entered(self, game_id: int, entry: JournalEntry) -> None:
        """An entry of a game is on record; one that another process has recorded comes without
        its texts (`arena.game.journal.told`)."""
        ...

    def game_ends(self, game_id: int, result: GameResult | None) -> None:
        """A game is not played any more; None where it was broken off."""
        ...


class Listeners:
    """Those that hear of a run."""

    def __init__(self, listeners: Iterable[RunListener] = ()) -> None:
        self._listeners = [*listeners]

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def tell(self, what: Callable[[RunListener], None]) -> None:
        """Tell each of them."""
        for listener in [*self._listeners]:
            try:
                what(listener)
            except Exception as error:
                self._listeners.remove(listener)
                name = type(listener).__name__
                _log.warning("%s hears no more of the run: it raised %s", name, raised(error))
