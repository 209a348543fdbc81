"""What the matchmakers of this package were found to fall short of, for people who read a number
that rests on their games: docs/proof.md, part narrow, in the units of a rating.

Pools were of 12 agents. Where figures differ from game to game the worst one stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What ratings from the games of a matchmaker are like, and what its choice of games saves, or
    does not, "" where it saves what is promised."""

    ratings: str
    games: str = ""


def shortfall(matchmaker: str, options: Mapping[str, Any], players: int) -> Shortfall | None:
    """What is known of a matchmaker with these options, as they are on record, in games of this
    many; None where nothing is, as of those of other packages."""
    duels = players == 2
    name = matchmaker.replace("_", "-")
    if name == "informative" and options.get("version", 1) == 1:
        return Shortfall(
            "by its first rule a pool in which skills spread by less than 8.3 breaks up into "
            "islands: live intervals across them are far too narrow"
        )
    if name == "informative" and options.get("goal", "order") == "order":
        return Shortfall(
            _less_exact("0.1", "2.7" if duels else "4.2"),
            "pairs are told apart with as many games as random pairings take where skills spread "
            "by 2.7 or less, 1.5 times fewer at 4.2"
            if duels
            else "pairs are told apart hardly sooner, with 0.7 to 1.4 times fewer games than "
            "random pairings take",
        )
    if name == "informative":
        return Shortfall(
            _less_exact("0.3", "2.7" if duels else "4.2"),
            ""
            if duels
            else "the best are found with 0.8 to 2.4 times fewer games than random pairings take",
        )
    if name == "swiss":
        covered = "" if duels else ", and a 95 % interval holds the truth 88 % of the time"
        return Shortfall(_less_exact("0.2", "2.7" if duels else "4.2") + covered)
    if name == "gauntlet" and not duels:
        return Shortfall(
            "with several newcomers ratings are up to 0.2 less exact than by random pairings, as "
            "only one of them sits in a game"
        )
    return None


def _less_exact(points: str, spread: str) -> str:
    return (
        f"ratings are up to {points} less exact than by random pairings where agents are much "
        f"alike, their skills' standard deviation {spread} or less"
    )
