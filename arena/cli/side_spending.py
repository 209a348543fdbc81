"""Says what a command has asked about games on record, and what that cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arena.cli.output import count, tell

if TYPE_CHECKING:
    from db import Database


class SideSpending:
    """What has been spent since it was made: `calls` that were sent, and `dollars`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._before = self._now()

    def _now(self) -> tuple[int, float]:
        from db import Repository

        with self._database.session() as session:
            return Repository(session).side_spending()

    def plain(self) -> dict[str, float]:
        """As plain data."""
        calls, dollars = self._now()
        return {"calls": calls - self._before[0], "dollars": dollars - self._before[1]}

    def say(self) -> None:
        """On stderr, where anything was sent."""
        spent = self.plain()
        if spent["calls"]:
            tell(f"{count(int(spent['calls']), 'call')} sent, ${spent['dollars']:.4g}")
