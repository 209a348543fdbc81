"""`probit` that also reads by how much games were won: by little, by more, by much.

The wins of each environment are cut into levels of equal size by the difference of the teams'
scores, and a win of a level says that the winner's lead was between two cuts (ordered probit:
McCullagh, "Regression Models for Ordinal Data", JRSS B 42, 1980). The cuts are estimated, so that
only the order of the margins counts and not their unit; what a seat's performance is stays what it
is in `probit`, and so do the ratings' scale and the chances of winning. Anderson, "Regression and
Ordered Categorical Variables" (JRSS B 46, 1984), on what more categories are worth: with three to a
side, next to as much as the margin itself.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from arena.core import Games, Ratings
from arena.core.arrays import Booleans, Floats, Integers
from arena.ratings.fit.design import Seats, seats
from arena.ratings.probit import fitted

LEVELS = 3

_LARGEST = np.finfo(np.float64).max / 4.0


class GradedProbit:
    """The rating system `probit-graded`. Where nothing is known of scores it is `probit`."""

    name = "probit-graded"

    def fit(self, games: Games) -> Ratings:
        """Raises ValueError for columns that make no games."""
        played = seats(games)
        leads = margins(played, games.scores)
        level = levels(played, leads)
        ratings = fitted(self.name, played, level if level.any() else None)
        return replace(ratings, notes=[*ratings.notes, *_notes(played, level)])


def margins(played: Seats, scores: object) -> Floats:
    """Per game of two teams, the winner's score less the loser's, each the mean over its seats; NaN
    for a draw, a score that is not known, and one that says otherwise than the ranks."""
    count = np.bincount(played.team_game, minlength=len(played.sizes))
    found = np.full(len(count), np.nan)
    known = np.asarray(scores, dtype=np.float64)
    if not len(known):
        return found
    if len(known) != len(played.team):
        raise ValueError(f"{len(played.team)} seats, but {len(known)} scores: expected as many")
    sizes = np.bincount(played.team, minlength=len(played.team_game))
    mean = np.bincount(played.team, known, minlength=len(sizes)) / sizes
    # An infinite score makes no margin, and neither does one so large that differences overflow.
    mean[~(np.abs(mean) <= _LARGEST)] = np.nan
    game = np.flatnonzero(count == 2)
    first = np.searchsorted(played.team_game, game)
    ahead = np.sign(played.team_rank[first + 1] - played.team_rank[first])
    lead = ahead * (mean[first] - mean[first + 1])
    found[game] = np.where((ahead != 0) & np.isfinite(lead) & (lead > 0.0), lead, np.nan)
    return found


def levels(played: Seats, leads: Floats) -> Integers:
    """Per game, 0 where no lead is known, else from 1 the level of its lead among those of its
    environment. An environment whose leads are all the same has none."""
    level = np.zeros(len(leads), np.int64)
    for environment in range(len(played.environments)):
        here: Booleans = (played.environment == environment) & np.isfinite(leads)
        if not here.any():
            continue
        values = leads[here]
        edges = np.quantile(values, np.arange(1, LEVELS) / LEVELS, method="inverted_cdf")
        edges = np.unique(edges[edges < values.max()])
        if len(edges):
            level[here] = 1 + np.searchsorted(edges, values)
    return level


def _notes(played: Seats, level: Integers) -> list[str]:
    if not len(level):
        return []
    known = int((level > 0).sum())
    if not known:
        return ["no game says by how much it was won: these ratings are those of probit"]
    two = int((np.bincount(played.team_game, minlength=len(level)) == 2).sum())
    said = [
        f"the margin of {known:,} of {two:,} games of two sides counts: a rating is of the play "
        "that makes margins, not of winning alone"
    ]
    if two < len(level):
        said.append("of games of more than two sides the order of finish counts, as in probit")
    return said
