"""How many further games, and dollars, it takes to tell agents apart: from the games on record, or
before the first one.

What is known of the agents comes from the batch fit of their games, what a game adds from how the
two are seated: the same question costs many times more in one seating than in another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from arena.config import TournamentConfig
from arena.core import UsageError
from arena.core.ratings import SIGMA
from arena.forecast.game_information import Z, spread, stated, table_of
from arena.forecast.past_games import PlanScope, past_games
from arena.forecast.plan import Plan
from arena.forecast.plan import plan as schedule_of
from arena.orchestrator.lookup import Rules, find_agent
from arena.orchestrator.memories import said_in_order
from arena.stats.plan import Forecast, games_to_separate, games_to_separate_top
from db import Repository, get_session
from db.database import Source


@dataclass(frozen=True, slots=True)
class Way:
    """What it takes under one seating: `dollars_per_game` is None where no price is known."""

    seating: str
    forecast: Forecast
    dollars_per_game: float | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What it takes to tell `subject` apart in an environment.

    `games` are on record. `known` is what is known of the difference of the two, in units of mu:
    its mean and 95 % interval; None for more than two agents and before the first game. `ways` are
    the seatings that the environment allows, the one with the fewest games first. `notes` are
    sentences for people.
    """

    subject: str
    environment: str
    players: int
    games: int
    known: tuple[float, float, float] | None
    ways: tuple[Way, ...]
    notes: tuple[str, ...] = ()

    @property
    def separated(self) -> bool:
        """Whether they are told apart already."""
        return all(way.forecast.separated for way in self.ways)


def plan_two(url: Source, a: str, b: str, scope: PlanScope) -> Outlook:
    """How many further games until two agents are told apart. Raises UsageError for unknown names
    and seatings, DatabaseError where there is no database; writes nothing."""
    with get_session(url, create=False) as session:
        repo = Repository(session)
        first, second = find_agent(repo, a), find_agent(repo, b)
        if first.id == second.id:
            raise UsageError(
                f"{first.label} is asked to be told apart from itself: expected two agents"
            )
        record = past_games(session, repo, scope, (first.id, second.id))
    assert first.id is not None
    assert second.id is not None
    pair = (first.id, second.id)
    mean, covariance = record.ratings.skills(pair)
    difference = float(mean[0] - mean[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    half = Z * sqrt(max(variance, 0.0))
    table = table_of(record.rules, record.ratings)
    ways = [
        Way(seating, games_to_separate(difference, variance, each, dollars_per_game=price), price)
        for seating, each in table.informations(scope.seating)
        for price in [record.price(seating, pair)]
    ]
    notes = [
        f"{agent.label} has no game there: its skill may be anything that the prior allows"
        for agent in (first, second)
        if record.counts.get(agent.id or 0, 0) == 0
    ]
    return Outlook(
        subject=f"{first.label} and {second.label}",
        environment=record.rules.name,
        players=record.rules.players,
        games=record.games,
        known=(difference, difference - half, difference + half),
        ways=_sorted(ways),
        notes=(*notes, *record.notes, *record.ratings.notes),
    )


def plan_top(url: Source, top: int, scope: PlanScope) -> Outlook:
    """How many further games, spread evenly over all agents, until each of the best `top` is told
    apart from each of the others. Raises UsageError and DatabaseError."""
    with get_session(url, create=False) as session:
        record = past_games(session, Repository(session), scope)
    agents = sorted(record.counts)
    if len(agents) < 2:
        raise UsageError(
            f"{len(agents)} agents have played {record.rules.name}: at least two are needed to "
            "tell them apart"
        )
    if not 1 <= top < len(agents):
        raise UsageError(
            f"--top {top}: {len(agents)} agents have played {record.rules.name}, so the top 1 to "
            f"{len(agents) - 1} can be told apart from the rest"
        )
    mean, covariance = record.ratings.skills(agents)
    table = table_of(record.rules, record.ratings)
    ways = []
    for seating, each in table.informations(scope.seating):
        price = record.price(seating, agents)
        shared = spread(seating, each, len(agents), record.rules.players)
        forecast = games_to_separate_top(mean, covariance, top, shared, dollars_per_game=price)
        ways.append(Way(seating, forecast, price))
    return Outlook(
        subject=f"the top {top} of {len(agents)} agents",
        environment=record.rules.name,
        players=record.rules.players,
        games=record.games,
        known=None,
        ways=_sorted(ways),
        notes=(*record.notes, *record.ratings.notes),
    )


def plan_config(
    config: TournamentConfig,
    *,
    url: Source = None,
    effect: float = 0.55,
    top: int | None = None,
    seating: str | None = None,
) -> Outlook:
    """How many games a tournament would need, before it is played: to see an edge that gives one
    of two given agents the score `effect` where a seat of each faces the other's, or, with `top`,
    to tell the best apart from the rest where skills scatter as the prior says. Dollars are those
    of the rehearsed schedule. Raises ConfigError for a file that cannot be played, UsageError for
    numbers that make no question."""
    if not 0.5 < effect < 1:
        raise UsageError(f"--effect {effect:g}: expected a score above 0.5 and below 1, as 0.55")
    planned = schedule_of(config, url=url, estimate=True)
    estimate = planned.estimate
    price = None
    if estimate is not None and estimate.dollars is not None and estimate.games:
        price = estimate.dollars.mean / estimate.games
    rules = Rules({"name": config.environment.name, "players": config.environment.players,
                   "options": config.environment.options})  # fmt: skip
    table = table_of(rules, None)
    n = len(config.agents)
    if n < 2:
        raise UsageError(f"{config.name!r} has one agent: at least two are needed to tell apart")
    if top is not None and not 1 <= top < n:
        raise UsageError(f"--top {top}: the file has {n} agents: expected 1 to {n - 1}")
    ways = []
    for name, each in table.informations(seating):
        shared = spread(name, each, n, rules.players)
        if top is None:
            forecast = stated(table.edge(effect), shared, price)
        else:
            prior = SIGMA**2 * np.eye(n)
            forecast = games_to_separate_top(
                np.zeros(n), prior, top, shared, dollars_per_game=price
            )
        ways.append(Way(name, forecast, price))
    subject = f"an edge of {100 * effect:.4g} % between two of {n} agents"
    return Outlook(
        subject=subject if top is None else f"the top {top} of {n} agents",
        environment=rules.name,
        players=rules.players,
        games=0,
        known=None,
        ways=_sorted(ways),
        notes=(
            *_scheduled(config, ways),
            *_in_order(planned),
            *(estimate.notes if estimate is not None else ()),
        ),
    )


def _scheduled(config: TournamentConfig, ways: Sequence[Way]) -> list[str]:
    """What the file's own schedule will show."""
    usual = "mirrored" if config.matchmaker.name == "duel" else "rotate"
    own = config.matchmaker.options.get("seating", usual)
    seating = "random" if own == "rotate" else own
    found = next((way for way in ways if way.seating == seating), None)
    if found is None:
        return []
    games, forecast = config.games, found.forecast
    if games >= forecast.high:
        said = "with a probability of 90 % or more"
    elif games >= forecast.games:
        said = "more likely than not, with a probability below 90 %"
    elif games >= forecast.low:
        said = "less likely than not, with a probability of 10 % or more"
    else:
        said = "with a probability below 10 %"
    return [f"the {games:,} games of the file ({found.seating} seating) are enough {said}"]


def _in_order(planned: Plan) -> list[str]:
    """That games depend on those before them, where an agent remembers."""
    if not planned.learners:
        return []
    return [
        f"{said_in_order(planned.learners)}; they depend on those before them, and these numbers "
        "take games to be independent"
    ]


def _sorted(ways: Sequence[Way]) -> tuple[Way, ...]:
    return tuple(
        sorted(ways, key=lambda way: (not isfinite(way.forecast.games), way.forecast.games))
    )
