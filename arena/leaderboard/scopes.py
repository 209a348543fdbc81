"""Cuts the games that were asked for into sets that are rated together, and finds the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from arena.game.seating import remembering_kind
from arena.leaderboard.query import BY_TERMINATION, CONDITIONED, LeaderboardQuery
from arena.leaderboard.weights import environment_weights
from arena.record.covariates import with_covariate
from db import Environment, Repository, Session
from db.queries.agents import agent_names
from db.queries.played import NOTHING, PlayedGames, played_games, revisions, waiting_games
from db.queries.tournaments import matchmakers
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class PairedGames:
    """How many `games` a matchmaker paired, under the name and with the options on record."""

    matchmaker: str
    options: Mapping[str, Any]
    games: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Games that are rated together. `environment`, `num_players` and `version` are None where
    they are of several; `played` holds the games without those that an error decided, or touched,
    when these are left out, which `left_out` counts. `waiting` games are finished and not rated
    yet: a game before them in the schedule is open. `revisions` are the games by environment and
    revision. `weights` are what each of several environments counts for, {} of one. `paired` are
    the rules by which the games were paired, of tournaments whose rule is on record; `remembering`
    the names of agents whose games depend on those before them."""

    environment: str | None
    num_players: int | None
    version: str | None
    tournament: str | None
    selection: Selection
    played: PlayedGames
    left_out: int
    rules: dict[int, str]
    waiting: int = 0
    revisions: Mapping[int, Mapping[int, int]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    paired: tuple[PairedGames, ...] = ()
    environment_id: int | None = None
    remembering: tuple[str, ...] = ()


def scopes(session: Session, query: LeaderboardQuery) -> list[Scope]:
    """The sets of games, the largest first: one for each environment, or one over all of them.

    Raises BadSelection for what the database does not hold.
    """
    # Whole games are rated, also where the skill in a role is asked for.
    selection = replace(query.selection, role=None, team=None)
    tournaments = selection.on(session).named.get("tournament", {})
    played = played_games(session, selection)
    if query.covariate is not None and len(played):
        names = {key: row.name for key, row in agent_names(session).items()}
        played = with_covariate(session, played, selection, query.covariate, names)
    rules = {row.id or 0: row for row in Repository(session).get_environments()}
    whole = Scope(
        environment=None,
        num_players=None,
        version=None,
        tournament=", ".join(tournaments.values()) or None,
        selection=selection,
        played=played,
        left_out=0,
        rules=_environment_names(rules),
    )
    if query.overall:
        if not len(played):
            return []
        weights = environment_weights(_counted(whole), query.weights or "equal")
        found = replace(whole, weights=weights if len(weights) > 1 else {})
        return [_finished(session, found, query)]
    apart = []
    for key, number in zip(*np.unique(played.environments, return_counts=True), strict=True):
        row = rules[int(key)]
        scope = replace(
            whole,
            environment=row.name,
            environment_id=int(key),
            num_players=row.num_players,
            version=row.version,
            selection=replace(selection, environment=int(key)),
            played=played.only(played.environments == key),
        )
        apart.append((-int(number), int(key), scope))
    apart.sort(key=lambda entry: entry[:2])
    return [_finished(session, scope, query) for _, _, scope in apart]


def _counted(scope: Scope) -> dict[str, int]:
    """The games of each environment, by the name that it has among the rules, the most first."""
    keys, numbers = np.unique(scope.played.environments, return_counts=True)
    order = np.argsort(-numbers, kind="stable")
    return {scope.rules[int(keys[at])]: int(numbers[at]) for at in order}


def _finished(session: Session, scope: Scope, query: LeaderboardQuery) -> Scope:
    """The scope without what is to be left out, and with what waits."""
    found = replace(
        scope,
        waiting=waiting_games(session, scope.selection),
        revisions=revisions(session, scope.selection),
        paired=_paired(session, scope.played),
        remembering=_remembering(session, scope.played),
    )
    if query.errors_as == "draw":
        return replace(found, played=drawn(scope.played))
    if not query.exclude_errors:
        return found
    played = scope.played
    errors = played.errors if query.exclude_errors == "decided" else played.touched
    return replace(found, played=played.only(errors == 0), left_out=int(errors.sum()))


def _paired(session: Session, played: PlayedGames) -> tuple[PairedGames, ...]:
    keys, numbers = np.unique(played.tournaments, return_counts=True)
    games = dict(zip(keys.tolist(), numbers.tolist(), strict=True))
    rules = matchmakers(session, (key for key in games if key != NOTHING))
    return tuple(
        PairedGames(str(rule.get("name", "")), rule, games[key]) for key, rule in rules.items()
    )


def _remembering(session: Session, played: PlayedGames) -> tuple[str, ...]:
    found = agent_names(session, np.unique(played.agents).tolist()).values()
    kinds = {each.kind: remembering_kind(each.kind.split(" ")[0]) for each in found}
    return tuple(sorted(each.name for each in found if kinds[each.kind]))


def drawn(played: PlayedGames) -> PlayedGames:
    """The games, of which those that an error decided have no winner."""
    decided = np.repeat(played.errors, played.sizes) == 1
    return replace(played, ranks=np.where(decided, 0, played.ranks))


def chosen_by_result(scope: Scope, query: LeaderboardQuery) -> list[str]:
    """That the games of a scope were chosen by something that depends on who was winning."""
    left_out = [CONDITIONED] if scope.left_out else []
    return left_out + ([BY_TERMINATION] if query.selection.termination else [])


def _environment_names(rules: dict[int, Environment]) -> dict[int, str]:
    """A name for each set of rules: those of one name are told apart by number."""
    names = [row.name for row in rules.values()]
    return {
        key: row.name if names.count(row.name) == 1 else f"{row.name} #{key}"
        for key, row in rules.items()
    }
