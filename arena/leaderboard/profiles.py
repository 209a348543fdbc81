"""What an agent did in all of its games: its place, its opponents, its roles, its words, its cost.

Read from stored boards, counters and pair counts, and from games that stand for all of them: as
fast after a million games as after a hundred.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.leaderboard.opponents import AgentMeetings, agent_meetings
from arena.leaderboard.places import StoredPlaces, stored_places
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.stored import PartRating, stored_part
from arena.reports.agent_samples import SampledRecord, sampled_record
from arena.reports.error_rates import ErrorRates, error_rates
from arena.reports.failures import FailedKind, failed_of
from arena.reports.roles import AgentInRole, agent_in_roles
from arena.reports.usage import PartUsage, part_usage
from db import Session
from db.queries.conduct import ConductRow
from db.queries.counters import behind, counter_sums
from db.queries.sessions import AgentSession, agent_sessions
from db.queries.steps import (
    EnvironmentRating,
    RatingStep,
    environment_ratings,
    newest_rated,
    rated_spans,
    spread_steps,
)
from db.selection import Selection, several

NEWEST = 12
"""Newest games that are named."""
_PARTS = 12
"""Roles and teams whose boards are looked for."""
STEPS = 160
"""Points of a rating over games."""
CURVES = 4
"""Environments in which a rating over games is shown."""


@dataclass(frozen=True, slots=True)
class RatingCurve:
    """The stored rating of an agent in an environment, and some of its steps in order."""

    now: EnvironmentRating
    steps: tuple[RatingStep, ...]


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """`newest` are the game_ids of its newest rated games, `sessions` what it took in them, the
    newest first. `meetings` is None where games were rated that nobody has counted, `usage` and
    `errors` are None without games of tournaments.
    `part_ratings` are those that are stored of its roles and teams, by name; `uncounted` are
    tournaments whose counters are not up to date (`arena counters rebuild`)."""

    board: StoredPlaces
    newest: tuple[int, ...]
    sessions: tuple[AgentSession, ...]
    curves: tuple[RatingCurve, ...]
    meetings: tuple[AgentMeetings, ...] | None
    roles: tuple[AgentInRole, ...]
    part_ratings: Mapping[str, tuple[PartRating, ...]]
    usage: PartUsage | None
    errors: ErrorRates | None
    sample: SampledRecord
    failures: tuple[FailedKind, ...]
    uncounted: tuple[str, ...]


def agent_profile(session: Session, agent_id: int) -> AgentProfile:
    """The profile of an agent by its number."""
    counts = counter_sums(session, [agent_id]).get(agent_id)
    ratings = environment_ratings(session, agent_id)[:CURVES]
    spans = rated_spans(session, [agent_id])
    of_pool = {span.pool_id: span for span in spans}
    uncounted = behind(session)
    roles = agent_in_roles(session, agent_id)
    met = agent_meetings(session, agent_id)
    usage = part_usage([counts] if counts else [])
    newest = tuple(newest_rated(session, spans, NEWEST))
    return AgentProfile(
        board=stored_places(session, LeaderboardQuery(), lambda row: row.agent_id == agent_id),
        newest=newest,
        sessions=_sessions(session, agent_id, newest),
        curves=tuple(
            RatingCurve(now, tuple(spread_steps(session, of_pool[now.pool_id], STEPS)))
            for now in ratings
            if now.pool_id in of_pool
        ),
        meetings=None if met is None else tuple(met),
        roles=tuple(roles),
        part_ratings=_part_ratings(session, roles, agent_id),
        usage=usage,
        errors=error_rates([ConductRow.of(agent_id, counts)]) if counts else None,
        sample=sampled_record(session, [agent_id], spans),
        failures=failed_of(session, usage, Selection(agent=agent_id), uncounted),
        uncounted=tuple(uncounted),
    )


def _sessions(session: Session, agent_id: int, newest: Sequence[int]) -> tuple[AgentSession, ...]:
    if not newest:
        return ()
    found = agent_sessions(session, Selection(agent=agent_id, game=newest))
    return tuple(reversed(found))


def _part_ratings(
    session: Session, roles: Sequence[AgentInRole], agent_id: int
) -> dict[str, tuple[PartRating, ...]]:
    """Those that somebody has asked for: a board of each role takes seconds."""
    asked = [Selection(team=team) for team in dict.fromkeys(role.team for role in roles) if team]
    asked += [Selection(role=role) for role in dict.fromkeys(role.role for role in roles) if role]
    found: dict[str, tuple[PartRating, ...]] = {}
    for selection in asked[:_PARTS]:
        (name,) = (*several(selection.team), *several(selection.role))
        if rated := stored_part(session, LeaderboardQuery(selection), agent_id):
            found.setdefault(name, tuple(rated))
    return found
