"""Ratings along a prompt's lineage: what a fork changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from arena.core.ratings import MU
from arena.leaderboard.board import ForkChange
from arena.leaderboard.making import DEVIATIONS
from arena.leaderboard.parts import Parts, fork_changes, rated_parts
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.records import WinRecord, records
from arena.leaderboard.scopes import Scope, chosen_by_result, scopes
from arena.ratings.composite import part_contrasts
from arena.reports.voids import told, void_by_name
from arena.stats.proportions import Interval
from db import Session
from db.queries.prompts import PromptFork, prompt_tree


@dataclass(frozen=True, slots=True)
class Twig:
    """A prompt in its lineage, `depth` forks from the first. `rating` is what the prompt adds to
    an agent, 25 the average of the prompts that played; None where it has not. `change` is None
    where prompt and parent did not play with a kind and model in common, and nothing tells what
    the prompt does from what they do."""

    name: str
    parent: str | None
    depth: int
    games: int
    rating: float | None = None
    interval: Interval | None = None
    change: ForkChange | None = None


@dataclass(frozen=True, slots=True)
class PromptLineage:
    """All prompts, every fork after its parent, as they did in an environment; in none where
    nothing has been played."""

    environment: str | None
    num_players: int | None
    version: str | None
    tournament: str | None
    games: int
    notes: tuple[str, ...]
    twigs: tuple[Twig, ...]


def lineages(session: Session, query: LeaderboardQuery) -> list[PromptLineage]:
    """One lineage for each environment with games, or a single one without ratings.

    Raises UsageError for names that are not there.
    """
    query.check()
    tree = prompt_tree(session)
    if not tree:
        return []
    found = [scope for scope in scopes(session, query) if len(scope.played)]
    if not found:
        bare = tuple(Twig(branch.name, branch.parent, branch.depth, 0) for branch in tree)
        return [PromptLineage(None, None, None, None, 0, (), bare)]
    return [_lineage(session, scope, query, tree) for scope in found]


def _lineage(
    session: Session, scope: Scope, query: LeaderboardQuery, tree: Sequence[PromptFork]
) -> PromptLineage:
    fitted = rated_parts(session, scope)
    names, mean, covariance = part_contrasts(fitted.ratings, fitted.parts, by="prompt")
    place = {name: at for at, name in enumerate(names)}
    changes = fork_changes(session, fitted, names, mean, covariance)
    tallies = _games(scope, fitted.parts, place)
    twigs = []
    for branch in tree:
        at = place.get(branch.name)
        if at is None:
            twigs.append(Twig(branch.name, branch.parent, branch.depth, 0))
            continue
        rating, reach = MU + float(mean[at]), DEVIATIONS * sqrt(max(float(covariance[at, at]), 0.0))
        twigs.append(
            Twig(
                branch.name,
                branch.parent,
                branch.depth,
                tallies[at].games,
                rating,
                (rating - reach, rating + reach),
                changes.get(branch.name),
            )
        )
    return PromptLineage(
        scope.environment,
        scope.num_players,
        scope.version,
        scope.tournament,
        len(scope.played),
        (
            *fitted.ratings.notes,
            *chosen_by_result(scope, query),
            *told(void_by_name(session, scope.selection)),
        ),
        tuple(twigs),
    )


def _games(scope: Scope, parts: Parts, place: Mapping[str, int]) -> dict[int, WinRecord]:
    import numpy as np

    agents = np.array(sorted(parts), dtype=np.int64)
    owners = np.array([place[parts[int(agent)][2]] for agent in agents], dtype=np.int64)
    seats = owners[np.searchsorted(agents, scope.played.agents)]
    return {owner: record.whole for owner, record in records(scope.played, seats).items()}
