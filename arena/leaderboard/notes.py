"""Sentences for people beside a board: what its numbers do not say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from arena.core.text import one_line
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.scopes import Scope, chosen_by_result
from arena.matchmakers.shortfalls import shortfall
from db.queries.answered import AnsweredName

_NAMED = 3
"""So many names of one period are said."""

_WIDTH = 60
"""Characters of a name that are said."""

_MOST_PERIODS = 4
"""Beyond that a name is one of a call, not of what answers."""


def said(scope: Scope, query: LeaderboardQuery, terms: Mapping[tuple[str, ...], int]) -> list[str]:
    """What people should know about the games of a scope."""
    notes = chosen_by_result(scope, query)
    if scope.waiting:
        notes.append(
            f"{scope.waiting:,} more games are finished and wait for a game before them in the "
            "schedule: short games end first, so they count when it is their turn"
        )
    if query.errors_as == "draw" and (decided := int(scope.played.errors.sum())):
        notes.append(f"{decided:,} games that an error decided count as draws")
    if scope.played.unranked:
        notes.append(f"left out: {scope.played.unranked:,} games with a rank missing")
    for environment, games in scope.revisions.items():
        if len(games) > 1:
            shares = ", ".join(f"{n:,} in revision {number}" for number, n in games.items())
            notes.append(
                f"the games of {scope.rules.get(environment, environment)} were not all put to the "
                f"players alike, nor their answers to the rules ({shares}): --revision "
                f"{max(games)} ranks those of one alone"
            )
    several = len(np.unique(scope.played.environments)) > 1
    if several and not any(term[0] == "side" for term in terms):
        notes.append(
            f"{query.system} takes the games of several environments for one; probit tells "
            "them apart"
        )
    if scope.remembering:
        named = ", ".join(one_line(name, _WIDTH) for name in scope.remembering[:_NAMED])
        more = len(scope.remembering) - _NAMED
        also = f" and {more} more" if more > 0 else ""
        notes.append(
            f"games of {named}{also} depend on their order: these agents remember earlier games of "
            "a tournament, so that a rating is of the average over what they knew, and intervals, "
            "which take games to be independent, may be too narrow"
        )
    return notes + _pairing_notes(scope)


def _pairing_notes(scope: Scope) -> list[str]:
    """What ratings from games that were paired like this were found to be like."""
    players = int(scope.played.sizes.max(initial=0))
    games: Counter[tuple[str, str]] = Counter()
    for paired in scope.paired:
        if (known := shortfall(paired.matchmaker, paired.options, players)) is not None:
            games[paired.matchmaker, known.ratings] += paired.games
    return [
        f"{number:,} of these games were paired by {name}; in simulations, {ratings}"
        for (name, ratings), number in games.items()
    ]


def answered_notes(answered: Mapping[str, Sequence[AnsweredName]]) -> list[str]:
    """What people should know of agents, by name, whose model answered under several names."""
    return [
        f"{agent}'s games were answered by "
        + ", then by ".join(f"{each.name} (in {each.games:,})" for each in names)
        + ": a rating is of the average over them"
        for agent, names in answered.items()
        if len(names) > 1
    ]


def backend_notes(backends: Mapping[str, Sequence[str]]) -> list[str]:
    """What people should know of agents, by name, whose games were answered from one place and
    later from another; `backends` are in the order of the games. A provider that has several at
    once, and takes now this one, now that, changes nothing."""
    notes = []
    for agent, told in backends.items():
        found = [
            " or ".join(one_line(name, _WIDTH) for name in period[:_NAMED])
            for period in _periods(told)
        ]
        if 1 < len(found) <= _MOST_PERIODS:
            notes.append(
                f"{agent}'s games were answered by {', then by '.join(found)}: what answers under "
                "the model's name changed, and a rating is of the average over it"
            )
    return notes


def _periods(told: Sequence[str]) -> list[list[str]]:
    """Names in order, cut wherever none from before comes up again: the different ones of each
    part."""
    last = {name: at for at, name in enumerate(told)}
    found: list[list[str]] = []
    end = -1
    for at, name in enumerate(told):
        if at > end:
            found.append([])
        end = max(end, last[name])
        if name not in found[-1]:
            found[-1].append(name)
    return found


def pool_notes(names: Sequence[str], pools: int) -> list[str]:
    """What people should know about one pool of several, or one of a single agent."""
    notes = []
    if pools > 1:
        notes.append(
            f"{pools} pools of agents that no game connects: each has a table and an average of "
            "25 of its own, and ratings of two pools say nothing about each other"
        )
    if len(names) == 1:
        notes.append(f"{names[0]} has met no other agent here: every agent starts at 25")
    return notes
