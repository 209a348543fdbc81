"""The rated games of a selection as a rating system reads them: one rule for boards and plans."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from arena.core import Games, seat_role
from db.queries.played import NOTHING, PlayedGames


def rating_columns(played: PlayedGames, environments: Mapping[int, str] | None = None) -> Games:
    """Seats with their roles; where the rules know none, the place is the role (`seat_role`), as
    in the live standings. `environments` are names by environment_id, used when there are
    several."""
    places = np.arange(len(played.agents)) - np.repeat(played.starts, played.sizes)
    bare = played.roles == NOTHING
    names = list(played.role_names)
    roles = np.where(bare, len(names) + places, played.roles)
    names += [seat_role(None, place) for place in range(int(places[bare].max(initial=-1)) + 1)]
    found, environment = np.unique(played.environments, return_inverse=True)
    several = len(found) > 1
    known = environments or {}
    seeds, number = np.unique(played.seeds, return_inverse=True)
    keys = environment * len(seeds) + number
    _, seed, games = np.unique(keys, return_inverse=True, return_counts=True)
    shared = (games[seed] > 1) & (played.seeds != NOTHING)
    return Games(
        sizes=played.sizes,
        agents=played.agents,
        teams=played.teams,
        ranks=played.ranks,
        roles=roles,
        role_names=names,
        environments=environment if several else (),
        environment_names=[known.get(key, str(key)) for key in found.tolist()] if several else (),
        scores=played.rewards if np.isfinite(played.rewards).any() else (),
        blocks=np.where(shared, seed, NOTHING) if shared.any() else (),
        covariates=played.covariates,
    )


def repeats_left_out(number: int) -> list[str]:
    """What to say of games that are another one again; nothing where there are none."""
    if not number:
        return []
    games = "1 repeat is" if number == 1 else f"{number:,} repeats are"
    return [
        f"{games} left out: a game with the rules, seed and seating of another in which every "
        "reply was scripted or cached could not have come out otherwise, so the two count once"
    ]
