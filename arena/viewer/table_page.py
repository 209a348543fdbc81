"""The part of a game's page that games of boards, cards, rounds and offers have: what lay on the
table."""

from __future__ import annotations

from dataclasses import dataclass

from arena.viewer.grids import Boards, boards, without_grid
from arena.viewer.lanes import Lanes
from arena.viewer.ledger import Ledger, ledger
from arena.viewer.seen import SeenGame
from arena.viewer.tracks import Tracks, tracks


@dataclass(frozen=True, slots=True)
class TablePage:
    """What lay on the table: boards, numbers over the turns, and tables of what was done."""

    boards: Boards | None
    tracks: Tracks | None
    ledger: Ledger

    @property
    def empty(self) -> bool:
        """Whether there is nothing of it to draw."""
        told = self.ledger.plays or self.ledger.rounds or self.ledger.offers
        return self.boards is None and self.tracks is None and not told

    def beside_board(self, words: str) -> str:
        """What the rules said, without the board where the page draws boards already."""
        return words if self.boards is None else without_grid(words)


def table_page(game: SeenGame, beside: Lanes | None) -> TablePage:
    """The table as these eyes saw it; `beside` are the lanes whose axis its lines share."""
    return TablePage(boards(game), tracks(game, beside), ledger(game))
