"""Two games side by side, turn by turn, with the first difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from arena.replay.difference import FirstDifference, GameDifference
from arena.viewer.game_page import Entry, GamePage

MOST = 200
"""Turns that are drawn at most, from the first difference on."""

_AROUND = 60  # characters before the first one that differs

_WHAT = {
    "length": "one game ends here",
    "player": "another player acts",
    "observation": "the player is shown something else",
    "action": "the player does something else",
    "submitted": "the rules are given something else",
    "result": "the rules accept one action and refuse the other",
    "lapse": "one answer has a fault that the other has not",
}


@dataclass(frozen=True, slots=True)
class PairedTurn:
    """The same turn of both games; None where a game has ended before."""

    number: int
    first: Entry | None
    second: Entry | None
    parted: bool


@dataclass(frozen=True, slots=True)
class AgainstPage:
    """All that the page of two games draws. `related` says what they have in common, and `strange`
    that it is nothing; `common` turns at the beginning are alike; `what` differs then, `texts` are
    both values around the place where they do; other agents sit at the places in `changed`; `left`
    turns are not in the page."""

    first: GamePage
    second: GamePage
    related: str
    strange: bool
    common: int
    difference: FirstDifference | None
    what: str
    texts: tuple[tuple[str, str], tuple[str, str]]
    changed: frozenset[int]
    alike: tuple[PairedTurn, ...]
    pairs: tuple[PairedTurn, ...]
    left: int


def against_page(found: GameDifference, first: GamePage, second: GamePage) -> AgainstPage:
    """The page of two games that are seen whole."""
    related, strange = _relation(found)
    parted = found.difference
    both = list(_paired(first, second, None if parted is None else parted.turn_number))
    rest = both[found.common :]
    if found.first.environment_id != found.second.environment_id:
        both, rest = [], []
    return AgainstPage(
        first=first,
        second=second,
        related=related,
        strange=strange,
        common=found.common,
        difference=parted,
        what="" if parted is None else _WHAT[parted.what],
        texts=(("", ""), ("", "")) if parted is None else _around(parted),
        changed=frozenset(
            one.index
            for one, other in zip(first.game.seats, second.game.seats, strict=False)
            if one.name != other.name
        ),
        alike=tuple(both[: found.common][-MOST:]),
        pairs=tuple(rest[:MOST]),
        left=max(len(rest) - MOST, 0) + max(found.common - MOST, 0),
    )


def _relation(found: GameDifference) -> tuple[str, bool]:
    one, other = found.first, found.second
    if found.branched_at is not None:
        if one.parent_game_id == other.parent_game_id:
            return f"Both are branches of game {one.parent_game_id}.", False
        branch, parent = (other, one) if other.parent_game_id == one.game_id else (one, other)
        return (
            f"Game {branch.game_id} is a branch of game {parent.game_id} "
            f"from turn {found.branched_at}.",
            False,
        )
    if one.environment_id != other.environment_id:
        return f"One is {one.environment}, the other {other.environment}.", True
    if one.seed is not None and one.seed == other.seed:
        return "Both have the same seed: the same deal, other players or other answers.", False
    return "They are of one environment, but neither comes from the other.", True


def _paired(first: GamePage, second: GamePage, parted: int | None) -> Iterator[PairedTurn]:
    entries = (
        [entry for section in page.sections for entry in section.entries]
        for page in (first, second)
    )
    for number, (one, other) in enumerate(zip_longest(*entries)):
        yield PairedTurn(number, one, other, number == parted)


def _around(parted: FirstDifference) -> tuple[tuple[str, str], tuple[str, str]]:
    """(what is equal, what differs) of both values, near the first character that differs."""
    at = parted.character
    start = max(at - _AROUND, 0)
    cut = "…" if start else ""
    first, second = (
        (cut + text[start:at], text[at : at + 4 * _AROUND] + ("…" * (len(text) > at + 240)))
        for text in (parted.first, parted.second)
    )
    return first, second
