"""What an agent did in all of its games: its place, its opponents, its roles, its words, its cost.

Read from stored boards, counters and pair counts, and from games that stand for all of them: as
fast after a million games as after a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena.leaderboard.board import BoardRow
from arena.leaderboard.opponents import AgentMeetings, agent_meetings
from arena.leaderboard.query import By, LeaderboardQuery
from arena.leaderboard.stored import BoardAnswer, stored_answer
from arena.reports.agent_samples import SampledRecord, sampled_record
from arena.reports.error_rates import ErrorRates, error_rates
from arena.reports.failures import FailedKind, failed_kinds
from arena.reports.roles import AgentInRole, agent_in_roles
from arena.reports.usage import PartUsage, part_usage
from db import Model, Repository, Session
from db.queries.agents import CatalogueAgent, catalogue_agents
from db.queries.conduct import ConductRow
from db.queries.counters import behind, counter_sums
from db.queries.steps import (
    EnvironmentRating,
    RatingStep,
    environment_ratings,
    newest_rated,
    rated_spans,
    spread_steps,
)
from db.selection import Selection

NEWEST = 12
"""Newest games that are named."""
STEPS = 160
"""Points of a rating over games."""
CURVES = 4
"""Environments in which a rating over games is shown."""


@dataclass(frozen=True, slots=True)
class BoardPlace:
    """A row of a stored board with what its board is of: `of` rows in all. `board` is its place
    among the boards of the answer: an environment has several where not all agents have met."""

    board: int
    environment: str | None
    num_players: int | None
    system: str
    of: int
    row: BoardRow


@dataclass(frozen=True, slots=True)
class StoredPlaces:
    """The places in the boards of a question. `stored` says whether there are any boards yet,
    `behind` that something has changed since they were computed; `newest` is the newest game."""

    stored: bool
    behind: bool
    newest: int | None
    places: tuple[BoardPlace, ...]


@dataclass(frozen=True, slots=True)
class RatingCurve:
    """The stored rating of an agent in an environment, and some of its steps in order."""

    now: EnvironmentRating
    steps: tuple[RatingStep, ...]


@dataclass(frozen=True, slots=True)
class AgentProfile:
    """`newest` are the game_ids of its newest rated games. `meetings` is None where games were
    rated that nobody has counted, `usage` and `errors` are None without games of tournaments;
    `uncounted` are tournaments whose counters are not up to date (`arena counters rebuild`)."""

    board: StoredPlaces
    newest: tuple[int, ...]
    curves: tuple[RatingCurve, ...]
    meetings: tuple[AgentMeetings, ...] | None
    roles: tuple[AgentInRole, ...]
    usage: PartUsage | None
    errors: ErrorRates | None
    sample: SampledRecord
    failures: tuple[FailedKind, ...]
    uncounted: tuple[str, ...]


def agent_profile(session: Session, agent_id: int) -> AgentProfile:
    """The profile of an agent by its number."""
    counts = counter_sums(session, [agent_id]).get(agent_id)
    ratings = environment_ratings(session, agent_id)[:CURVES]
    met = agent_meetings(session, agent_id)
    usage = part_usage([counts] if counts else [])
    return AgentProfile(
        board=stored_places(session, LeaderboardQuery(), lambda row: row.agent_id == agent_id),
        newest=tuple(newest_rated(session, rated_spans(session, [agent_id]), NEWEST)),
        curves=tuple(
            RatingCurve(now, tuple(spread_steps(session, now.pool_id, agent_id, STEPS)))
            for now in ratings
        ),
        meetings=None if met is None else tuple(met),
        roles=tuple(agent_in_roles(session, agent_id)),
        usage=usage,
        errors=error_rates([ConductRow.of(agent_id, counts)]) if counts else None,
        sample=sampled_record(session, [agent_id]),
        failures=_failures(session, usage, Selection(agent=agent_id)),
        uncounted=tuple(behind(session)),
    )


def _failures(
    session: Session, usage: PartUsage | None, selection: Selection
) -> tuple[FailedKind, ...]:
    """The kinds of failed calls; not looked for where the counters know of none."""
    uncounted = usage is None or bool(behind(session))
    return failed_kinds(session, selection) if uncounted or (usage and usage.failed) else ()


def part_places(session: Session, by: By, name: str) -> StoredPlaces:
    """The places of a model, a prompt or a kind, by what it adds to an agent."""
    return stored_places(session, LeaderboardQuery(by=by), lambda row: row.name == name)


def stored_places(
    session: Session, query: LeaderboardQuery, wanted: Callable[[BoardRow], bool]
) -> StoredPlaces:
    """The rows of a stored answer that are wanted; nothing is computed."""
    answer = stored_answer(session, query)
    if answer is None:
        return StoredPlaces(False, False, None, ())
    return StoredPlaces(True, answer.behind, answer.newest, tuple(_places(answer, wanted)))


def _places(answer: BoardAnswer, wanted: Callable[[BoardRow], bool]) -> Sequence[BoardPlace]:
    return [
        BoardPlace(
            at, board.environment, board.num_players, board.system,
            len(board.rows), row,
        )
        for at, board in enumerate(answer.boards)
        for row in board.rows
        if wanted(row)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListedAgent:
    """An agent of the catalogue with its places, the one of the most games first."""

    agent: CatalogueAgent
    places: tuple[BoardPlace, ...]


def listed_agents(
    session: Session, selection: Selection | None = None
) -> tuple[list[ListedAgent], StoredPlaces]:
    """The agents of a selection by their parts, those of the largest board first and best first,
    and where they stand. Raises BadSelection for what is not on record."""
    agents = catalogue_agents(session, selection)
    wanted = {agent.agent_id for agent in agents}
    board = stored_places(session, LeaderboardQuery(), lambda row: row.agent_id in wanted)
    of: dict[int, list[BoardPlace]] = {}
    for place in board.places:
        of.setdefault(place.row.agent_id or 0, []).append(place)
    found = [
        ListedAgent(
            agent,
            tuple(
                sorted(of.get(agent.agent_id, ()), key=lambda each: -each.row.record.whole.games)
            ),
        )
        for agent in agents
    ]

    def order(each: ListedAgent) -> tuple[int, int, int]:
        if not each.places:
            return len(agents), 0, each.agent.agent_id
        return each.places[0].board, each.places[0].row.rank, each.agent.agent_id

    return sorted(found, key=order), board


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What a model's agents used and what games that stand for theirs say; see AgentProfile."""

    board: StoredPlaces
    usage: PartUsage | None
    sample: SampledRecord
    failures: tuple[FailedKind, ...]
    uncounted: tuple[str, ...]


def model_profile(session: Session, model_id: int, name: str) -> ModelProfile:
    """The profile of a model by its number and name."""
    agents = [agent.agent_id for agent in catalogue_agents(session, Selection(model=model_id))]
    usage = part_usage(counter_sums(session, agents).values())
    return ModelProfile(
        board=part_places(session, "model", name),
        usage=usage,
        sample=sampled_record(session, agents, talk=False),
        failures=_failures(session, usage, Selection(model=model_id)),
        uncounted=tuple(behind(session)),
    )


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of the catalogue with what its `agents` used, None where they have no games."""

    model: Model
    agents: int
    usage: PartUsage | None


def listed_models(session: Session) -> tuple[list[ListedModel], StoredPlaces]:
    """Every model, and where the models stand by what they add to an agent."""
    made: dict[int, list[int]] = {}
    for agent in catalogue_agents(session):
        made.setdefault(agent.model_id, []).append(agent.agent_id)
    counts = counter_sums(session)
    found = [
        ListedModel(
            model,
            len(agents := made.get(model.id or 0, [])),
            part_usage(counts[agent] for agent in agents if agent in counts),
        )
        for model in Repository(session).get_models()
    ]
    return found, stored_places(session, LeaderboardQuery(by="model"), lambda row: True)
