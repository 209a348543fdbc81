"""Two games beside each other."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from arena.replay.difference import difference
from arena.viewer.against_page import against_page
from arena.viewer.game_page import game_page
from arena.viewer.pages.game import seen_game
from arena.viewer.visit import NotThere, Visit, number


def side_by_side(visit: Visit) -> Response:
    """Two games, or a game and its branch, aligned by turn, with the first difference."""
    numbers = visit.number("game"), number(visit.path["other"], "a game")
    if numbers[0] == numbers[1]:
        raise NotThere(f"game {numbers[0]} is compared with itself: name another one behind it")
    first, second = (
        game_page(seen_game(replace(visit, path={"game": str(each)}, query={}))[0], None)
        for each in numbers
    )
    found = difference(visit.session, *numbers)
    return visit.draw("against.html", page=against_page(found, first, second))


ROUTES = (("/game/{game}/against/{other}", side_by_side),)
