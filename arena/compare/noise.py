"""Says beside a comparison what prompts differ by that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from arena.core.ratings import MU
from arena.ratings.fit.pools import components
from arena.ratings.probit import Probit
from arena.record.rating_columns import rating_columns
from arena.reports.noise_floor import PromptNoise, null_agents, prompt_noise
from db import Session
from db.queries.agents import agent_names
from db.queries.played import played_games
from db.selection import Selection


def noise_beside(session: Session, environment: int, a: int, b: int) -> list[str]:
    """The noise floor of an environment's games beside the difference of two agents in them, in
    ratings of one fit; nothing where no null variants met the two."""
    found = _noise(session, environment, {a, b})
    if found is None:
        return []
    noise, ratings, names = found
    apart = abs(ratings[a] - ratings[b])
    said = "more" if apart > noise.width else "no more"
    return [
        f"{noise.sentence}, in the ratings of this environment: there {names[a]} and {names[b]} "
        f"differ by {apart:.2f}, {said} than prompts that say the same may"
    ]


def noise_among(session: Session, environment: int, agents: Sequence[int]) -> list[str]:
    """The same of several agents: who of them differ by more."""
    found = _noise(session, environment, {*agents})
    if found is None:
        return []
    noise, ratings, _ = found
    pairs = [abs(ratings[a] - ratings[b]) for a, b in combinations(agents, 2)]
    return [
        f"{noise.sentence}, in the ratings of this environment: there "
        f"{sum(apart > noise.width for apart in pairs):,} of {len(pairs):,} pairs differ by more "
        "than prompts that say the same may"
    ]


def _noise(
    session: Session, environment: int, agents: set[int]
) -> tuple[PromptNoise, dict[int, float], dict[int, str]] | None:
    """The floor, with the ratings and names of all who met these agents."""
    names = {key: row.name for key, row in agent_names(session).items()}
    if not null_agents(session, [*names]):
        return None
    games = rating_columns(played_games(session, Selection(environment=environment)))
    pool = sorted(next((pool for pool in components(games) if agents <= pool), frozenset()))
    groups = null_agents(session, pool)
    if not groups:
        return None
    mean, _ = Probit().fit(games).contrasts(pool)
    ratings = {key: MU + float(value) for key, value in zip(pool, mean, strict=True)}
    noise = prompt_noise(groups, ratings, names)
    return None if noise is None else (noise, ratings, names)
