"""Rows of the catalogue in an address, by number or by name, and the boards that they stand in."""

from __future__ import annotations

from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.places import StoredPlaces
from arena.viewer.visit import NotThere, Visit
from db.errors import BadSelection
from db.finding import Noun, find


def which(visit: Visit, noun: Noun) -> int:
    """The number of the row that the address names: by its number, else by its name. Raises
    NotThere with the nearest name for one that there is not."""
    given = visit.path[noun]
    try:
        if given.isascii() and given.isdigit() and len(given) < 10:
            try:
                return find(visit.session, noun, int(given))[-1]
            except BadSelection:
                pass
        return find(visit.session, noun, given)[-1]
    except BadSelection as error:
        raise NotThere(str(error)) from error


def waiting_for(
    visit: Visit, board: StoredPlaces, query: LeaderboardQuery
) -> tuple[bool, str | None]:
    """Have a board computed that is not there or behind: whether one is waited for, and why it
    cannot be computed."""
    if visit.worker is None or (board.stored and not board.behind):
        return False, None
    failed = visit.worker.ask(query)
    return not board.stored and failed is None, failed
