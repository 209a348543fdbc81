"""What counts for whom: points by values, verdicts, scenes and words, and the places they give."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from arena.core import PlayerResult
from arena.scenarios.shape import CurvePoint, Persona, Score
from arena.scenarios.values import Stated, shown

_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class GameFacts:
    """What scores are read from: values and fields of the verdict by name, None where they are
    undecided; the titles of scenes that reached their goal; of the scores that ask for words, the
    numbers of those whose words fell."""

    values: Mapping[str, Stated | None]
    verdict: Mapping[str, Stated]
    reached: frozenset[str]
    said: frozenset[int]


def parts_of(scoring: Sequence[Score], facts: GameFacts) -> list[float]:
    """The points that each score came to."""
    return [_points(number, score, facts) for number, score in enumerate(scoring)]


def points_of(scoring: Sequence[Score], facts: GameFacts) -> dict[str, float]:
    """The points of every persona that any are for."""
    found: dict[str, list[float]] = {}
    for score, points in zip(scoring, parts_of(scoring, facts), strict=True):
        found.setdefault(score.persona, []).append(points)
    return {persona: math.fsum(points) for persona, points in found.items()}


def _points(number: int, score: Score, facts: GameFacts) -> float:
    if score.scene is not None:
        return (score.points or 0.0) if score.scene in facts.reached else 0.0
    if score.said is not None:
        return (score.points or 0.0) if number in facts.said else 0.0
    stated = (
        facts.values.get(score.value)
        if score.value is not None
        else facts.verdict.get(score.verdict or "")
    )
    if stated is None:
        return 0.0
    if isinstance(stated, float):
        return _at(score.curve, stated)
    return (score.worth or {}).get(stated, 0.0)


def _at(curve: Sequence[CurvePoint], number: float) -> float:
    """The points at a number: on a straight line between the two beside it, beyond the ends as
    there."""
    if number <= curve[0].at:
        return curve[0].points
    for low, high in pairwise(curve):
        if number <= high.at:
            share = (number - low.at) / (high.at - low.at)
            return low.points + share * (high.points - low.points)
    return curve[-1].points


def bounds(scoring: Sequence[Score], persona: str) -> tuple[float, float]:
    """The fewest and the most points that a persona can have."""
    low, high = [], []
    for score in scoring:
        if score.persona == persona:
            given = [0.0, *(point.points for point in score.curve), *(score.worth or {}).values()]
            given.append(score.points or 0.0)
            low.append(min(given))
            high.append(max(given))
    return math.fsum(low), math.fsum(high)


def results(
    personas: Sequence[Persona],
    scoring: Sequence[Score],
    points: Mapping[str, float],
    invalid: Sequence[int],
) -> tuple[PlayerResult, ...]:
    """The places of all personas, the most points first; a team has those of its personas together.
    A reward is the share of a persona's possible points, from -1 to 1."""
    sides = [persona.team or persona.name for persona in personas]
    # 0.1 and 0.2 are as many as 0.3.
    totals = {
        side: round(
            math.fsum(
                points.get(persona.name, 0.0)
                for persona, own in zip(personas, sides, strict=True)
                if own == side
            ),
            _DECIMALS,
        )
        for side in dict.fromkeys(sides)
    }
    best_first = sorted(set(totals.values()), reverse=True)
    return tuple(
        PlayerResult(
            index,
            persona.name,
            persona.team,
            best_first.index(totals[side]),
            _reward(bounds(scoring, persona.name), points.get(persona.name, 0.0)),
            refused,
        )
        for index, (persona, side, refused) in enumerate(zip(personas, sides, invalid, strict=True))
    )


def _reward(between: tuple[float, float], points: float) -> float:
    low, high = between
    return 0.0 if high <= low else max(-1.0, min(2.0 * (points - low) / (high - low) - 1.0, 1.0))


def named(score: Score) -> str:
    """What a score is for, in short."""
    if score.scene is not None:
        return f"the scene {score.scene}"
    if score.said is not None:
        by = "" if score.by in (None, score.persona) else f", by {score.by}"
        return f"said {score.said!r}{by}"
    return score.value if score.value is not None else f"the verdict's {score.verdict}"


def told(score: Score) -> str:
    """A score for the persona that it is for."""
    if score.scene is not None:
        return f"{_signed(score.points)} if the scene {score.scene!r} reaches its goal"
    if score.said is not None:
        who = "you say" if score.by in (None, score.persona) else f"{score.by} says"
        words = score.said.replace("*", "...")
        return f"{_signed(score.points)} if {who} {words!r}"
    of = score.value if score.value is not None else f"the verdict's {score.verdict}"
    if score.curve:
        worth = ", ".join(f"{_signed(p.points)} at {shown(float(p.at))}" for p in score.curve)
        return f"{of}: {worth}, in proportion between"
    worth = ", ".join(
        f"{_signed(each)} for {option}" for option, each in (score.worth or {}).items()
    )
    return f"{of}: {worth}"


def _signed(points: float | None) -> str:
    return f"{points or 0.0:+.15g}"
