"""Says beside a comparison what prompts differ by that say the same."""

from __future__ import annotations

from arena.core.ratings import MU
from arena.ratings.probit import Probit, components
from arena.record.rating_columns import rating_columns
from arena.reports.noise_floor import null_agents, prompt_noise
from db import Session
from db.queries.agents import agent_names
from db.queries.played import played_games
from db.selection import Selection


def noise_beside(session: Session, environment: int, a: int, b: int) -> list[str]:
    """The noise floor of an environment's games beside the difference of two agents in them, in
    ratings of one fit; nothing where no null variants met the two."""
    names = {key: row.name for key, row in agent_names(session).items()}
    if not null_agents(session, [*names]):
        return []
    games = rating_columns(played_games(session, Selection(environment=environment)))
    pool = next((pool for pool in components(games) if {a, b} <= pool), frozenset())
    groups = null_agents(session, sorted(pool))
    if not groups:
        return []
    agents = sorted(pool)
    mean, _ = Probit().fit(games).contrasts(agents)
    ratings = {key: MU + float(value) for key, value in zip(agents, mean, strict=True)}
    noise = prompt_noise(groups, ratings, names)
    if noise is None:
        return []
    apart = abs(ratings[a] - ratings[b])
    said = "more" if apart > noise.width else "no more"
    return [
        f"{noise.sentence}, in the ratings of this environment: there {names[a]} and {names[b]} "
        f"differ by {apart:.2f}, {said} than prompts that say the same may"
    ]
