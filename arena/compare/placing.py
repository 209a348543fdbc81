"""Places an agent against a reference pool: a frozen set of agents that only anchors.

A pool is a tournament that says so (`pool:`), played to its end. Whoever is placed plays the same
schedule against its agents, from the same seeds, so that anybody with the pool's file gets the same
games to play; there is no seed to choose. A placement is computed from the pool's own games and
this agent's alone: others that were placed, before or after, move nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np

from arena.compare.question import named, resumed, seeded, written
from arena.config import TournamentConfig, parse
from arena.core import Ratings, UsageError
from arena.core.ratings import MU
from arena.orchestrator.lookup import find_agent, of_row
from arena.orchestrator.schedule import history
from arena.ratings.fit.pools import components
from arena.ratings.probit import Probit
from arena.record.rating_columns import rating_columns
from arena.registry import unknown
from arena.reports.voids import told
from arena.stats.groups import ranks
from db import Repository, Session, Tournament, get_session
from db.database import Source
from db.queries.agents import agent_names
from db.queries.begun import begun_agents
from db.queries.played import PlayedGames, played_games
from db.queries.spending import spent
from db.queries.voids import AgentVoids, void_games
from db.selection import Selection

DEVIATIONS = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""

_KEPT = ("seating", "repeat")
"""Options of the pool's matchmaker that say how a game is seated: placements are seated alike."""


@dataclass(frozen=True, slots=True)
class PlacingQuestion:
    """How good is `agent`, of the catalogue by name or number, against the agents of `pool`?
    `games` are those to be played, by default as many as the pool says."""

    agent: str
    pool: str
    games: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A rating with its 95 % interval, relative to the mean of the pool's agents, who have 25."""

    name: str
    rating: float
    sigma: float

    @property
    def low(self) -> float:
        return self.rating - DEVIATIONS * self.sigma

    @property
    def high(self) -> float:
        return self.rating + DEVIATIONS * self.sigma


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an agent stands. `found` is its rating, None before its first rated game; `members` are
    the pool's agents by the pool's own `pool_games`, best first. `best_rank` and `worst_rank` are
    those tenable with 95 % confidence among them all. Of the `scheduled` games `settled` are
    played, `void` of them without a result, and `games` are rated; `dollars` is what they cost.
    `seed` is the schedule's, the same for whoever is placed. `voids` are by the agents' names."""

    agent: str
    pool: str
    environment: str
    players: int
    tournament: str
    seed: int
    members: tuple[Placed, ...]
    pool_games: int
    found: Placed | None
    best_rank: int | None
    worst_rank: int | None
    scheduled: int
    settled: int
    void: int
    games: int
    dollars: float
    notes: tuple[str, ...] = ()
    voids: Mapping[str, AgentVoids] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether every game of the schedule was played, or given up as void."""
        return self.settled == self.scheduled


def configure_placing(url: Source, question: PlacingQuestion) -> TournamentConfig:
    """The tournament that places the agent: the same for the same question, so that asking again
    resumes it. Nothing is written.

    Raises UsageError for an agent or a pool that is not there, an agent of the pool itself, and a
    pool whose own games are not all played; DatabaseError where there is no database.
    """
    with get_session(url, create=False) as session:
        repo = Repository(session)
        agent = find_agent(repo, question.agent)
        pool = _pool(repo, question.pool)
        config = parse(pool.config, source=f"the pool {question.pool!r}", stored=True)
        assert config.pool is not None
        assert pool.environment is not None
        assert pool.id is not None
        names = [entered.name for entered in config.agents]
        begun = begun_agents(session, pool.id, names)
        members = [
            find_agent(repo, name if one is None else one[1])
            for name, one in zip(names, begun, strict=True)
        ]
        if agent.id in [member.id for member in members]:
            raise UsageError(
                f"{agent.label} is in the pool {question.pool!r} itself: `arena leaderboard "
                "--tournament` shows its rating there; place an agent that is not"
            )
        _check_frozen(session, pool, question.pool)
        games = question.games or config.pool.games
        seating = {
            name: value for name, value in config.matchmaker.options.items() if name in _KEPT
        }
        data: dict[str, Any] = {
            "environment": of_row(repo, pool.environment).written,
            "games": games,
            "matchmaker": {"name": "gauntlet", "newcomers": 1, **seating},
            "agents": [written(entered) for entered in [*members, agent]],
        }
        own = "" if games == config.pool.games else f" ({games} games)"
        data["name"] = named(f"place {agent.label} against {question.pool}{own}", data)
        resumed(repo, data)
        # Of the pool alone: every agent is placed by the same games.
        name = f"place against {question.pool} {config.seed}".encode()
        seed = int.from_bytes(hashlib.blake2b(name, digest_size=4).digest(), "big")
    return seeded(data, seed or 1)


def answer_placing(url: Source, question: PlacingQuestion, config: TournamentConfig) -> Placement:
    """What the games of a placement say so far. Raises UsageError where it is not on record;
    nothing is written."""
    with get_session(url, create=False) as session:
        repo = Repository(session)
        row = repo.get_tournament_by_name(config.name)
        if row is None or row.id is None:
            raise UsageError(f"the placement {config.name!r} is not in the database: play it")
        pool = _pool(repo, question.pool)
        past = history(session, row.id)
        reference = played_games(session, Selection(tournament=pool.id))
        both = played_games(session, Selection(tournament=[pool.id or 0, row.id]))
        names = {key: agent.name for key, agent in agent_names(session).items()}
        keys = {name: key for key, name in names.items()}
        voids = void_games(session, Selection(tournament=row.id))
        dollars = sum(spent(session, row.id).values())
        again = _others(repo, config)
    *members, agent = (entered.name for entered in config.agents)
    pooled = [keys[name] for name in members]
    joint = Probit().fit(rating_columns(both))
    by_name = {names[key]: found for key, found in voids.items()}
    placed = against(joint, keys[agent], pooled) if len(both) > len(reference) else None
    tenable = None if placed is None else _tenable(joint, keys[agent], pooled)
    return Placement(
        agent=agent,
        pool=question.pool,
        environment=config.environment.name,
        players=config.environment.players,
        tournament=config.name,
        seed=config.seed,
        members=_members(reference, pooled, names),
        pool_games=len(reference),
        found=None if placed is None else Placed(agent, *placed),
        best_rank=None if tenable is None else tenable[0],
        worst_rank=None if tenable is None else tenable[1],
        scheduled=config.games,
        settled=len(past.settled),
        void=sum(result is None for result in past.settled.values()),
        games=len(both) - len(reference),
        dollars=dollars,
        notes=(*_notes(config.games, len(past.settled), both), *again, *told(by_name)),
        voids=by_name,
    )


def _pool(repo: Repository, name: str) -> Tournament:
    """The tournament that is the pool of this name."""
    pools = {
        row.config["pool"]["name"]: row for row in repo.get_tournaments() if row.config.get("pool")
    }
    if name in pools:
        return pools[name]
    if not pools:
        raise UsageError(
            f"no pool {name!r}: none is on record. A tournament is one if its file says "
            f"`pool: {{name: {name}, frozen: true}}`; play it with `arena run`"
        )
    raise UsageError(unknown("pool", name, sorted(pools)))


def _check_frozen(session: Session, pool: Tournament, name: str) -> None:
    """Raises UsageError where the pool may still move, or nothing connects its agents."""
    if pool.status != "finished":
        raise UsageError(
            f"the pool {name!r} is not played to its end yet: `arena resume {pool.name!r}` first, "
            "because what is placed against it must not move it, nor it what was placed"
        )
    played = played_games(session, Selection(tournament=pool.id))
    if len(apart := components(rating_columns(played))) != 1:
        raise UsageError(
            f"the agents of the pool {name!r} fall into {len(apart)} sets that no game connects: "
            "a rating against all of them means nothing"
        )


def against(ratings: Ratings, agent: int, members: Sequence[int]) -> tuple[float, float]:
    """The agent's rating and its standard deviation, the members' mean being 25."""
    mean, covariance = ratings.skills([agent, *members])
    contrast = np.full(len(members) + 1, -1 / len(members))
    contrast[0] = 1.0
    return MU + float(contrast @ mean), sqrt(max(0.0, float(contrast @ covariance @ contrast)))


def _tenable(ratings: Ratings, agent: int, members: Sequence[int]) -> tuple[int, int]:
    return ranks(*ratings.contrasts([agent, *members]))[0]


def _members(
    reference: PlayedGames, members: Sequence[int], names: Mapping[int, str]
) -> tuple[Placed, ...]:
    """The pool's agents by its own games: what no placement moves."""
    mean, covariance = Probit().fit(rating_columns(reference)).contrasts(members)
    found = [
        Placed(names[key], MU + float(value), sqrt(max(0.0, float(variance))))
        for key, value, variance in zip(members, mean, np.diag(covariance), strict=True)
    ]
    return tuple(sorted(found, key=lambda member: (-member.rating, member.name)))


def _others(repo: Repository, config: TournamentConfig) -> list[str]:
    """That the same agent was placed by the same schedule before, as far or less far."""
    agents = [agent.name for agent in config.agents]
    others = [
        row.name
        for row in repo.get_tournaments()
        if row.name != config.name
        and row.seed == config.seed
        and [agent["name"] for agent in row.config["agents"]] == agents
    ]
    if not others:
        return []
    return [
        f"{agents[-1]} was placed against this pool in {', '.join(map(repr, others))} too: to "
        "choose the better of several is to choose by luck"
    ]


def _notes(scheduled: int, settled: int, both: PlayedGames) -> Iterator[str]:
    if settled < scheduled:
        yield (
            f"{scheduled - settled:,} of its {scheduled:,} games are open: the rating counts when "
            "all are played, or it depends on when one stopped"
        )
    if decided := int(both.errors.sum()):
        yield f"{decided:,} of these games, the pool's included, were decided by an agent's error"
