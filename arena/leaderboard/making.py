"""Makes boards: rates the games of a scope, and puts beside every rating what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.core import Ratings
from arena.core.arrays import Floats
from arena.core.ratings import MU
from arena.leaderboard.additive import LackOfFit, equilibria, fit_notes, lack_of_fit
from arena.leaderboard.board import Board, BoardRow
from arena.leaderboard.facts import BoardFacts
from arena.leaderboard.notes import answered_notes, backend_notes, pool_notes, said
from arena.leaderboard.query import CONDITIONED, LeaderboardQuery
from arena.leaderboard.rating import (
    Fit,
    SeatGroup,
    fit,
    role_of,
    team_of,
)
from arena.leaderboard.records import AgentRecord, records
from arena.leaderboard.scopes import Scope, drawn
from arena.ratings.fit.pools import components
from arena.record.rating_columns import rating_columns, repeats_left_out
from arena.reports.voids import told
from arena.stats.groups import MOST_LETTERED, groups, ranks, told_apart
from db import Session
from db.queries.agents import agent_names

DEVIATIONS = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


def agent_boards(
    session: Session,
    scope: Scope,
    query: LeaderboardQuery,
    part: SeatGroup | None,
    anchor: int | None = None,
) -> list[Board]:
    """A board for each pool of agents of a scope that games connect, in the seats of `part`; that
    of the `anchor` has it at 25."""
    if not len(scope.played):
        return []
    names = agent_names(session)
    labels = {key: row.name for key, row in names.items()}
    fitted = Anchored(fit(scope, query.system, part), anchor)
    record = records(scope.played, seats=None if part is None else part.seats)
    facts = BoardFacts.of(session, scope, query)
    pools = components(rating_columns(scope.played))
    # That pools never met is said below, where each has a table of its own.
    notes = [
        note
        for note in fitted.ratings.noted(labels)
        if not note.startswith(f"{len(pools)} pools of agents")
    ]
    notes += [*said(scope, query, fitted.ratings.terms), *facts.notes]
    tested = lack_of_fit(scope, query.system, fitted.ratings)
    notes += fit_notes(tested, query)
    other = None
    if query.errors_as == "range" and scope.played.errors.any():
        draws = fit(replace(scope, played=drawn(scope.played)), query.system, part)
        other = Anchored(draws, anchor)
    made: list[tuple[list[BoardRow], int]] = []
    ratings: dict[int, float] = {}
    for pool in pools:
        agents = sorted(agent for agent in pool if agent in record)
        if not agents:
            continue
        mean, covariance = fitted.contrasts(agents)
        nash = equilibria(scope, agents) if query.nash else {}
        ratings |= _by_agent(fitted, agents)
        as_draws = {} if other is None else _by_agent(other, agents)
        rows = [
            replace(
                row,
                errors_drawn=as_draws.get(agent),
                name=labels.get(agent, f"agent {agent}"),
                record=record[agent],
                conduct=facts.conduct.get(agent),
                spent=facts.spent.get(agent),
                void_games=len(facts.voids_of(agent).causes),
                void_own=len(facts.voids_of(agent).own),
                equilibrium=nash.get(agent),
            )
            for row in placed(agents, mean, covariance)
            if (agent := row.agent_id) is not None
        ]
        made.append((rows, told_apart(mean, covariance)))
    without = without_errors(scope, query, part, ratings, anchor)
    if without:
        notes.append(CONDITIONED)
    absent = len({agent for pool in pools for agent in pool} - set(record))
    if absent and part is not None:
        noun = "role" if query.role is not None else "team"
        notes.append(f"{_agents(absent)} never had the {noun} {part.name}")
    return [
        board_of(
            scope,
            query,
            [replace(row, without_errors=without.get(row.agent_id or 0)) for row in rows],
            [
                *notes,
                *told({row.name: facts.voids_of(row.agent_id) for row in rows}),
                *answered_notes(
                    {row.name: facts.answered.get(row.agent_id or 0, ()) for row in rows}
                ),
                *backend_notes(
                    {row.name: facts.backends.get(row.agent_id or 0, ()) for row in rows}
                ),
                *pool_notes([row.name for row in rows], len(made)),
            ],
            apart,
            next((row.name for row in rows if row.agent_id == anchor), None),
            tested,
            fitted.fit.weights,
            fitted.ratings.saved,
        )
        for rows, apart in made
    ]


@dataclass(frozen=True, slots=True)
class Anchored:
    """A fit asked for agents relative to their mean, or to the anchor where it is one of them."""

    fit: Fit
    anchor: int | None

    @property
    def ratings(self) -> Ratings:
        return self.fit.ratings

    def contrasts(self, agents: Sequence[int]) -> tuple[Floats, Floats]:
        """Mean (n,) and covariance (n, n)."""
        mean, covariance = self.fit.contrasts(agents)
        if self.anchor is None or self.anchor not in agents:
            return mean, covariance
        at = list(agents).index(self.anchor)
        covariance = covariance - covariance[at]
        return mean - mean[at], covariance - covariance[:, [at]]


def _by_agent(fitted: Anchored, agents: Sequence[int]) -> dict[int, float]:
    """The ratings of the agents of one pool."""
    mean, _ = fitted.contrasts(agents)
    return {agent: MU + float(value) for agent, value in zip(agents, mean, strict=True)}


def board_of(
    scope: Scope,
    query: LeaderboardQuery,
    rows: Sequence[BoardRow],
    notes: Sequence[str],
    told_apart: int,
    anchor: str | None = None,
    tested: LackOfFit | None = None,
    weights: Mapping[str, float] | None = None,
    saved: float | None = None,
) -> Board:
    """A board with its title's facts; its games are those in which one of its agents sat."""
    chosen = scope.played
    agents = [row.agent_id for row in rows if row.agent_id is not None]
    if agents and len(agents) < len(np.unique(chosen.agents)):
        seated = np.isin(chosen.agents, agents)
        chosen = chosen.only(np.maximum.reduceat(seated, chosen.starts))
    return Board(
        environment=scope.environment,
        num_players=scope.num_players,
        version=scope.version,
        tournament=scope.tournament,
        system=query.system,
        role=query.role,
        team=query.team,
        by=query.by,
        games=len(chosen),
        by_error=int(chosen.errors.sum()),
        touched=int(chosen.touched.sum()),
        left_out=scope.left_out,
        rows=tuple(rows),
        notes=tuple(dict.fromkeys([*repeats_left_out(int(chosen.repeats.sum())), *notes])),
        told_apart=told_apart,
        repeats=int(chosen.repeats.sum()),
        anchor=anchor,
        additivity=tested.additivity if tested else None,
        drift=tested.drift if tested else None,
        weights=weights or {},
        covariate=query.covariate,
        saved=saved,
        environment_id=scope.environment_id,
    )


def placed(keys: Sequence[int], mean: Floats, covariance: Floats) -> list[BoardRow]:
    """Rows best first, with their groups and intervals; `keys` become agent_ids."""
    lettered = 1 < len(keys) <= MOST_LETTERED
    letters = groups(mean, covariance) if lettered else ("",) * len(keys)
    tenable = ranks(mean, covariance)
    sigma = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    order = sorted(range(len(keys)), key=lambda at: (-float(mean[at]), keys[at]))
    empty = AgentRecord.empty()
    return [
        BoardRow(
            rank=rank,
            group=letters[at],
            agent_id=keys[at],
            name="",
            rating=MU + float(mean[at]),
            sigma=float(sigma[at]),
            low=MU + float(mean[at] - DEVIATIONS * sigma[at]),
            high=MU + float(mean[at] + DEVIATIONS * sigma[at]),
            record=empty,
            best_rank=tenable[at][0],
            worst_rank=tenable[at][1],
        )
        for rank, at in enumerate(order, start=1)
    ]


def without_errors(
    scope: Scope,
    query: LeaderboardQuery,
    part: SeatGroup | None,
    ratings: Mapping[int, float],
    anchor: int | None = None,
) -> dict[int, float]:
    """The ratings from the games that no error decided; nothing when none was. Agents that these
    connect keep their mean, so that what is left can be compared with what it was, or the `anchor`
    its 25."""
    if query.exclude_errors or not scope.played.errors.any():
        return {}
    clean = scope.played.only(scope.played.errors == 0)
    if not len(clean):
        return {}
    rest = replace(scope, played=clean)
    if part is not None:
        again = role_of if query.role is not None else team_of
        part = again(clean, part.name)
        if part is None:
            return {}
    fitted = fit(rest, query.system, part)
    seated = set(np.unique(clean.agents if part is None else clean.agents[part.seats]).tolist())
    found: dict[int, float] = {}
    for pool in components(rating_columns(clean)):
        agents = sorted(agent for agent in pool if agent in seated and agent in ratings)
        # Who is left alone has no game against anybody.
        if len(agents) < 2:
            continue
        mean, _ = fitted.contrasts(agents)
        before = sum(ratings[agent] for agent in agents) / len(agents)
        if anchor in agents:
            before = MU - float(mean[agents.index(anchor)])
        found |= {agent: before + float(value) for agent, value in zip(agents, mean, strict=True)}
    return found


def _agents(number: int) -> str:
    return f"{number:,} agent" if number == 1 else f"{number:,} agents"
