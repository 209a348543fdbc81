"""What a model, a prompt or a kind adds to an agent, and what combinations that never played would.

All of it comes from one fit, in which an agent's skill is the sum of the effects of its parts and
of what this combination has beyond them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from arena.core import Ratings, UsageError
from arena.core.ratings import MU
from arena.leaderboard.board import Board, BoardRow, ForkChange
from arena.leaderboard.facts import BoardFacts
from arena.leaderboard.making import DEVIATIONS, board_of, placed
from arena.leaderboard.notes import said
from arena.leaderboard.query import By, LeaderboardQuery
from arena.leaderboard.records import records
from arena.leaderboard.scopes import Scope, scopes
from arena.ratings.composite import (
    CombinationLimit,
    composite,
    limited_by,
    part_contrasts,
    predicted,
)
from arena.record.rating_columns import rating_columns
from arena.reports.voids import told
from arena.stats.groups import told_apart
from db import Session
from db.queries.agents import agent_names
from db.queries.conduct import ConductRow
from db.queries.prompts import prompt_tree
from db.queries.usage import FinishedUsage
from db.queries.voids import AgentVoids

Parts = Mapping[int, tuple[str, str, str]]
PLACES: Mapping[By, int] = {"kind": 0, "model": 1, "prompt": 2}


@dataclass(frozen=True, slots=True)
class Composite:
    """The one fit of a scope: `parts` are the (kind, model, prompt) of its agents by agent_id."""

    ratings: Ratings
    parts: Parts


@dataclass(frozen=True, slots=True)
class Prediction:
    """A combination that no agent of the scope is, with the rating it would have: 25 is the
    average of those that played."""

    kind: str
    model: str
    prompt: str
    rating: float
    sigma: float
    low: float
    high: float


def rated_parts(session: Session, scope: Scope) -> Composite:
    """The agents of a scope and their parts, rated together."""
    names = agent_names(session)
    agents = np.unique(scope.played.agents).tolist()
    missing = ("", "", "")
    parts = {agent: names[agent].parts if agent in names else missing for agent in agents}
    return Composite(composite(rating_columns(scope.played, scope.rules), parts), parts)


def fork_changes(
    session: Session,
    fitted: Composite,
    names: Sequence[str],
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
) -> dict[str, ForkChange]:
    """What prompts are above the ones they were forked from, by name, where both played with a kind
    and a model in common: else nothing tells what the prompt does from what they do. `mean` and
    `covariance` are the contrasts of the prompts `names` in the one fit."""
    place = {name: at for at, name in enumerate(names)}
    mates: dict[str, set[tuple[str, str]]] = {}
    for kind, model, prompt in fitted.parts.values():
        mates.setdefault(prompt, set()).add((kind, model))
    found = {}
    for fork in prompt_tree(session):
        parent = fork.parent
        if parent is None or fork.name not in place or parent not in place:
            continue
        if not mates[fork.name] & mates[parent]:
            continue
        at, above = place[fork.name], place[parent]
        difference = float(mean[at] - mean[above])
        variance = covariance[at, at] + covariance[above, above] - 2 * covariance[at, above]
        wide = DEVIATIONS * sqrt(max(float(variance), 0.0))
        found[fork.name] = ForkChange(difference, difference - wide, difference + wide)
    return found


def part_boards(session: Session, scope: Scope, query: LeaderboardQuery) -> list[Board]:
    """One board of a scope: a row for each model, prompt or kind, by what it adds."""
    if not len(scope.played):
        return []
    by = query.by
    assert by != "agent"
    fitted = rated_parts(session, scope)
    names, mean, covariance = part_contrasts(fitted.ratings, fitted.parts, by=by)
    owners = {agent: names.index(parts[PLACES[by]]) for agent, parts in fitted.parts.items()}
    agents = np.array([*owners], dtype=np.int64)
    owner = np.array([*owners.values()], dtype=np.int64)
    order = np.argsort(agents)
    seats = owner[order][np.searchsorted(agents[order], scope.played.agents)]
    record = records(scope.played, seats)
    facts = BoardFacts.of(session, scope, query)
    limit = limited_by(fitted.ratings, fitted.parts, by=by)
    voids = _voids(facts, owners, len(names))
    changes = fork_changes(session, fitted, names, mean, covariance) if by == "prompt" else {}
    rows = []
    for row in placed(range(len(names)), mean, covariance):
        place = row.agent_id or 0
        members = [agent for agent, part in owners.items() if part == place]
        rows.append(
            replace(
                row,
                agent_id=None,
                name=names[place],
                record=record[place],
                agents=len(members),
                at_best=DEVIATIONS * float(limit.endless[place]),
                conduct=_conduct([facts.conduct[a] for a in members if a in facts.conduct]),
                spent=_spent([facts.spent[a] for a in members if a in facts.spent]),
                void_games=len(voids[place].causes),
                void_own=len(voids[place].own),
                change=changes.get(names[place]),
            )
        )
    notes = [*fitted.ratings.noted({}), *said(scope, query, fitted.ratings.terms), *facts.notes]
    notes += told(dict(zip(names, voids, strict=True)))
    notes += _limits(limit, by, rows)
    board = board_of(scope, query, rows, notes, told_apart(mean, covariance))
    return [replace(board, system=fitted.ratings.system)]


def predictions(session: Session, query: LeaderboardQuery) -> list[tuple[Scope, list[Prediction]]]:
    """For each environment, the combinations of its kinds, models and prompts that no agent played
    there, best first. Raises UsageError for names that are not there."""
    query.check()
    found = []
    for scope in scopes(session, query):
        if not len(scope.played):
            continue
        fitted = rated_parts(session, scope)
        there = set(fitted.parts.values())
        sets = (sorted({parts[place] for parts in there}) for place in range(3))
        kinds, models, prompts = sets
        combos = [combo for combo in product(kinds, models, prompts) if combo not in there]
        found.append((scope, _predicted(fitted, combos)))
    if found and not any(made for _, made in found):
        raise UsageError(
            "every combination of the kinds, models and prompts here has played: leave out "
            "--unplayed"
        )
    return found


def _predicted(fitted: Composite, combos: list[tuple[str, str, str]]) -> list[Prediction]:
    if not combos:
        return []
    means, deviations = predicted(fitted.ratings, combos)
    made = [
        Prediction(
            *combo,
            rating=MU + float(mean),
            sigma=float(sigma),
            low=MU + float(mean - DEVIATIONS * sigma),
            high=MU + float(mean + DEVIATIONS * sigma),
        )
        for combo, mean, sigma in zip(combos, means, deviations, strict=True)
    ]
    return sorted(made, key=lambda row: (-row.rating, row.kind, row.model, row.prompt))


def _limits(limit: CombinationLimit, by: By, rows: Sequence[BoardRow]) -> list[str]:
    """Whether combinations, not games, limit what is known of the parts."""
    if not limit.by_combinations:
        return []
    fewest = min(row.agents for row in rows)
    return [
        f"combinations, not games, limit what is known of each {by} (the fewest that one was "
        f"played in: {fewest}): even with endless games of these agents its interval would not get "
        f"narrower than ± what stands under at best; agents with other combinations narrow it"
    ]


def _voids(facts: BoardFacts, owners: Mapping[int, int], parts: int) -> list[AgentVoids]:
    """The void games of each part; one in which several of its agents sat is one game."""
    causes: list[dict[int, str]] = [{} for _ in range(parts)]
    own: list[set[int]] = [set() for _ in range(parts)]
    for agent, part in owners.items():
        causes[part] |= facts.voids_of(agent).causes
        own[part] |= facts.voids_of(agent).own
    return [AgentVoids(games, frozenset(mine)) for games, mine in zip(causes, own, strict=True)]


def _conduct(rows: list[ConductRow]) -> ConductRow | None:
    if not rows:
        return None
    first, *others = (field.name for field in fields(ConductRow))
    return ConductRow(**{first: 0, **{n: sum(getattr(row, n) for row in rows) for n in others}})


def _spent(rows: list[FinishedUsage]) -> FinishedUsage | None:
    """What agents took together; medians of several do not add up to one."""
    if not rows:
        return None
    known = [row.cost for row in rows if row.cost is not None]
    return FinishedUsage(
        agent_id=0,
        games=sum(row.games for row in rows),
        turns=sum(row.turns for row in rows),
        calls=sum(row.calls for row in rows),
        failed_calls=sum(row.failed_calls for row in rows),
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        response_tokens=sum(row.response_tokens for row in rows),
        # What has no price is not free.
        cost=sum(known) if len(known) == len(rows) else None,
        turn_seconds=None,
        call_seconds=None,
        cached_tokens=sum(row.cached_tokens for row in rows),
        tool_calls=sum(row.tool_calls for row in rows),
        tool_failures=sum(row.tool_failures for row in rows),
    )
