"""What each environment counts for in a board over several of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from arena.core import Games, Ratings, UsageError
from arena.registry import unknown

Weights = Literal["equal", "games"] | Mapping[str, float]
"""Every environment alike, by its games, or numbers by environment, of which only the ratio counts.
"""


def read_weights(text: str) -> Weights:
    """`equal`, `games`, or `ENV=W,ENV=W`. Raises UsageError for anything else."""
    if text in ("equal", "games"):
        return text  # type: ignore[return-value]
    found: dict[str, float] = {}
    for pair in text.split(","):
        name, equals, number = pair.rpartition("=")
        name = name.strip()
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not equals or not name or not math.isfinite(weight):
            raise UsageError(
                f"--weights {text!r}: expected equal, games, or a number for every environment, "
                "such as SecretMafia-v0=2,TicTacToe-v0=1"
            )
        if name in found:
            raise UsageError(f"--weights {text!r} has {name} twice: expected every one once")
        found[name] = weight
    return found


def environment_weights(games: Mapping[str, int], asked: Weights) -> dict[str, float]:
    """The share of each environment, in the order of `games`, which counts those of each.

    Raises UsageError for an environment without games or without a weight, for a weight below 0,
    and where none is above."""
    if asked == "equal":
        return dict.fromkeys(games, 1 / len(games))
    if isinstance(asked, str):
        return {name: number / sum(games.values()) for name, number in games.items()}
    for name, weight in asked.items():
        if name not in games:
            raise UsageError(f"--weights: {unknown('environment', name, [*games])}")
        if not (math.isfinite(weight) and weight >= 0):
            raise UsageError(f"--weights {name}={weight:g}: expected a number from 0")
    if missing := [name for name in games if name not in asked]:
        raise UsageError(
            f"--weights says nothing of {', '.join(missing)}: expected a number for every "
            "environment that was played, 0 for one that does not count"
        )
    total = sum(asked.values())
    if not total:
        raise UsageError("--weights are all 0: expected one above 0 at least")
    return {name: asked[name] / total for name in games}


def weighed(ratings: Ratings, games: Games, weights: Mapping[str, float]) -> Ratings | None:
    """The same effects, of which a skill is the mean over environments by their weights, and within
    each over its roles as they come up. Where an environment has no game here, the others share its
    weight. None where the system does not tell environments apart."""
    import numpy as np

    from arena.ratings.fit.design import seats

    played = seats(games)
    known = {term[2] for term in ratings.terms if term[0] == "agent:role"}
    if not known.intersection(played.roles):
        return None
    homes = played.role_environment
    numbers = np.bincount(played.role, minlength=len(played.roles)).astype(np.float64)
    within = numbers / np.bincount(homes, numbers)[homes]
    of = np.array([weights[name] for name in played.environments])
    of = of if of.any() else np.ones(len(of))
    shares = within * (of / of.sum())[homes]
    return replace(ratings, shares=dict(zip(played.roles, shares.tolist(), strict=True)))
