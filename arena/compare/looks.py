"""How often a question has been asked: every comparison of two agents that is on record is a look,
and each has an error rate of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.matchmakers.duel import DuelOptions
from db import Tournament


@dataclass(frozen=True, slots=True)
class Look:
    """A comparison that is on record: its tournament, its test and the most that this errs."""

    tournament: str
    test: str
    alpha: float


@dataclass(frozen=True, slots=True)
class Looks:
    """The comparisons on record of two agents in an environment, with any seed, test, seating and
    number of games and in either order; and how many there are of other pairs."""

    of_these: Sequence[Look]
    of_others: int

    @property
    def any_error(self) -> float:
        """The most that one or more of them errs where the two are equal (Boole's inequality)."""
        return min(1.0, sum(look.alpha for look in self.of_these))


def looks(known: Iterable[Tournament], environment: str, players: int, two: set[str]) -> Looks:
    """Those among the tournaments of a database; agents by their names."""
    found, others = [], 0
    for tournament in known:
        config = tournament.config
        matchmaker: Mapping[str, Any] = config.get("matchmaker") or {}
        test = {"duel": matchmaker.get("test", DuelOptions().test), "pairwise": "evalue"}.get(
            str(matchmaker.get("name"))
        )
        where = config.get("environment") or {}
        if test is None or (where.get("name"), where.get("players")) != (environment, players):
            continue
        names = [agent["name"] for agent in config["agents"]]
        asked = {*names} if matchmaker["name"] == "pairwise" else {*names[:2]}
        if two <= asked:
            alpha = float(matchmaker.get("alpha", DuelOptions().alpha))
            found.append(Look(tournament.name, str(test), alpha))
        if len(asked) > 2 or asked != two:
            others += 1
    return Looks(found, others)


def said(a: str, b: str, number: int, any_error: float) -> str:
    """What so many comparisons of A and B do to the error rate."""
    return (
        f"{number} comparisons of {a} and {b} in this environment are looked at: where the two are "
        f"equal, one or more of them finds a difference with up to {100 * any_error:.3g} %"
    )
