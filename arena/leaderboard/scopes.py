"""Cuts the games that were asked for into sets that are rated together, and finds the names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, select

from arena.core import Games, UsageError
from arena.leaderboard.question import Question
from arena.registry import unknown
from db import Agent, Environment, Kind, Model, Prompt, Tournament
from db.queries.played import NOTHING, PlayedGames, Which, played_games, waiting_games


@dataclass(frozen=True, slots=True)
class Scope:
    """Games that are rated together. `environment`, `num_players` and `version` are None where
    they are of several; `played` holds the games without those decided by an error when these are
    left out, which `left_out` counts. `waiting` games are finished and not rated yet: a game before
    them in the schedule is open."""

    environment: str | None
    num_players: int | None
    version: str | None
    tournament: str | None
    which: Which
    played: PlayedGames
    left_out: int
    rules: dict[int, str]
    waiting: int = 0


def scopes(session: Session, question: Question) -> list[Scope]:
    """The sets of games, the largest first: one for each environment, or one over all of them.

    Raises UsageError for names that the database does not hold.
    """
    rules, tournament_id = _places(session, question)
    ids = tuple(rules) if question.environment is not None else None
    which = Which(ids, tournament_id, question.since)
    played = played_games(session, which)
    names = _environment_names(rules)
    if question.overall:
        whole = _scope(played, which, question, None, names)
        return [replace(whole, waiting=waiting_games(session, which))] if len(played) else []
    found = []
    for rule, number in zip(*np.unique(played.environments, return_counts=True), strict=True):
        one = Which((int(rule),), tournament_id, question.since)
        chosen = played.only(played.environments == rule)
        found.append((-int(number), int(rule), chosen, one))
    found.sort(key=lambda entry: entry[:2])
    return [
        replace(
            _scope(chosen, one, question, rules.get(rule), names),
            waiting=waiting_games(session, one),
        )
        for _, rule, chosen, one in found
    ]


def _scope(
    played: PlayedGames,
    which: Which,
    question: Question,
    rule: Environment | None,
    names: dict[int, str],
) -> Scope:
    left_out = 0
    if question.exclude_errors:
        left_out = int(played.errors.sum())
        played = played.only(played.errors == 0)
    return Scope(
        environment=rule.name if rule else None,
        num_players=rule.num_players if rule else None,
        version=rule.version if rule else None,
        tournament=question.tournament,
        which=which,
        played=played,
        left_out=left_out,
        rules=names,
    )


def _places(session: Session, question: Question) -> tuple[dict[int, Environment], int | None]:
    rows = {row.id or 0: row for row in session.exec(select(Environment))}
    if question.environment is not None:
        chosen = {key: row for key, row in rows.items() if row.name == question.environment}
        if not chosen:
            names = sorted({row.name for row in rows.values()})
            raise UsageError(_unknown("environment", question.environment, names))
        rows = chosen
    if question.tournament is None:
        return rows, None
    tournaments = {row.name: row.id for row in session.exec(select(Tournament))}
    if question.tournament not in tournaments:
        raise UsageError(_unknown("tournament", question.tournament, sorted(tournaments)))
    return rows, tournaments[question.tournament]


def _unknown(noun: str, name: str, names: list[str]) -> str:
    if not names:
        return f"unknown {noun} {name!r}; the catalogue has no {noun}s yet"
    return unknown(noun, name, names)


def _environment_names(rules: dict[int, Environment]) -> dict[int, str]:
    """A name for each set of rules: those of one name are told apart by number."""
    names = [row.name for row in rules.values()]
    return {
        key: row.name if names.count(row.name) == 1 else f"{row.name} #{key}"
        for key, row in rules.items()
    }


def columns(played: PlayedGames, rules: dict[int, str] | None = None) -> Games:
    """What a rating system is given: with roles where they are known. In a two-player game
    without roles the place is the role, because who begins may have an advantage. `rules` names
    the environments when there are several."""
    roles, role_names = _roles(played)
    found, environments = np.unique(played.environments, return_inverse=True)
    several = len(found) > 1
    return Games(
        sizes=played.sizes,
        agents=played.agents,
        teams=played.teams,
        ranks=played.ranks,
        roles=roles if roles is not None else (),
        role_names=role_names if roles is not None else (),
        environments=environments if several else (),
        environment_names=[(rules or {}).get(int(key), str(key)) for key in found]
        if several
        else (),
    )


def _roles(played: PlayedGames) -> tuple[NDArray[np.int64] | None, Sequence[str]]:
    sizes = np.repeat(played.sizes, played.sizes)
    places = np.arange(len(sizes)) - np.repeat(played.starts, played.sizes)
    bare = played.roles == NOTHING
    pair = bare & (sizes == 2)
    names = list(played.role_names)
    roles = played.roles.copy()
    if pair.any():
        roles[pair] = len(names) + places[pair]
        names += [f"player {place}" for place in range(2)]
        bare &= ~pair
    if bare.all():
        return None, ()
    if bare.any():
        roles[bare] = len(names)
        names.append("")
    return roles, names


@dataclass(frozen=True, slots=True)
class Named:
    """An agent's name and the names of its parts."""

    name: str
    kind: str
    model: str
    prompt: str

    @property
    def parts(self) -> tuple[str, str, str]:
        """(kind, model, prompt)."""
        return self.kind, self.model, self.prompt


def named(session: Session) -> dict[int, Named]:
    """Every agent of the catalogue by agent_id."""
    query = (
        select(Agent.id, Agent.alias, Kind.name, Kind.version, Model.name, Prompt.name)  # type: ignore[call-overload]
        .join(Kind, Kind.id == Agent.kind_id)
        .join(Model, Model.id == Agent.model_id)
        .join(Prompt, Prompt.id == Agent.prompt_id)
    )
    found = {}
    for agent_id, alias, kind, version, model, prompt in session.execute(query):
        shown = kind if version == 1 else f"{kind} v{version}"
        found[agent_id] = Named(alias or f"{kind}/{model}/{prompt}", shown, model, prompt)
    return found
