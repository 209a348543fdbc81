"""Metrics by entity, name and time: a view over the counters, of which each tournament has its
own."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from db.counts import COLUMNS, TIMES
from db.errors import BadSelection
from db.models import Agent, Counters, Environment, Kind, Model, Prompt, Tournament, TournamentLease
from db.models.columns import aware
from db.models.counters import MONEY
from db.queries.agents import agent_names
from db.queries.counters import behind
from db.selection import Selection, moment

_AGENT: Any = col(Counters.agent_id)

ENTITIES = ("agents", "models", "prompts", "kinds", "environments", "tournaments", "roles", "teams")

USED = (
    "calls", "answered", "failed", "orphans", "own_cache", "priced", "unpriced", "prompt_tokens",
    "response_tokens", "reasoning_tokens", "cached_tokens", "cost", "charged", "tool_calls",
    "tool_failures", "tool_us",
)  # fmt: skip
"""What void attempts used too; everything else is of finished games."""

_DOLLARS = ("cost", "charged")
# `largest` is no sum, and `again` only corrects one.
METRICS = tuple(sorted({*COLUMNS} - {*TIMES, "largest", "again"} | {"void_seats"}))
"""The names of metrics: columns of `db.models.Counters`, and the seats of void attempts."""

_FIELDS = ("tournament", "environment", "agent", "kind", "model", "prompt", "role", "team",
           "since", "until")  # fmt: skip


@dataclass(frozen=True, slots=True)
class MetricRow:
    """The value of a metric (`name`) of an entity (`kind` of it, and its name) in a tournament, and
    the time that it is of: when the tournament ended, or was last heard of. Dollars, tokens, counts
    by the metric's name."""

    entity_type: str
    entity: str
    name: str
    tournament: str
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of a selection, by entity, name and time; `behind` are the tournaments that are
    not counted yet."""

    rows: tuple[MetricRow, ...]
    behind: tuple[str, ...] = ()


def metrics(
    session: Session,
    selection: Selection | None = None,
    *,
    entities: str = "agents",
    names: tuple[str, ...] = (),
) -> Metrics:
    """What each entity (one of `ENTITIES`) counted up to in each tournament of a selection, by
    name (of `METRICS`, all without any). Reads the counters, and no game.

    Raises BadSelection for what is not on record, for a name of no metric or entity, and for what
    counters cannot be chosen by.
    """
    selection = selection or Selection()
    selection.allow(*_FIELDS, what="metrics")
    _known("entity", entities, ENTITIES)
    for name in names:
        _known("metric", name, METRICS)
    wanted = names or METRICS
    chosen = selection.on(session)
    key: Any = _KEYS[entities]
    sums = [_sum(name) for name in wanted]
    query: Any = (
        select(key, col(Counters.tournament_id), *sums)
        .join(Tournament, col(Tournament.id) == col(Counters.tournament_id))
        .join(Agent, col(Agent.id) == col(Counters.agent_id))
        .where(*chosen.of_agents(_AGENT))
        .group_by(key, col(Counters.tournament_id))
    )
    places: dict[str, Any] = {
        "tournament": col(Counters.tournament_id),
        "environment": col(Tournament.environment_id),
    }
    for noun, column in places.items():
        if noun in chosen.named:
            query = query.where(column.in_([*chosen.named[noun]]))
    words: dict[str, Any] = {"role": col(Counters.role), "team": col(Counters.team)}
    for word, column in words.items():
        if asked := getattr(selection, word):
            query = query.where(column.in_([asked] if isinstance(asked, str) else [*asked]))
    since, until = moment(selection.since), moment(selection.until)
    cups, called = _tournaments(session), _names(session, entities)
    rows = []
    for entity, cup, *values in session.execute(query):
        name, at = cups[cup]
        if (since is not None and at < since) or (until is not None and at >= until):
            continue
        for metric, value in zip(wanted, values, strict=True):
            shown = called.get(entity, str(entity)) if called is not None else str(entity)
            number = int(value or 0)
            rows.append(
                MetricRow(
                    entities, shown, metric, name, at,
                    number / MONEY if metric in _DOLLARS else float(number),
                )
            )  # fmt: skip
    rows.sort(key=lambda row: (row.entity, row.name, row.at, row.tournament))
    of_places = Selection(tournament=selection.tournament, environment=selection.environment)
    return Metrics(tuple(rows), tuple(behind(session, of_places)))


_KEYS: dict[str, Any] = {
    "agents": col(Counters.agent_id),
    "models": col(Agent.model_id),
    "prompts": col(Agent.prompt_id),
    "kinds": col(Agent.kind_id),
    "environments": col(Tournament.environment_id),
    "tournaments": col(Counters.tournament_id),
    "roles": col(Counters.role),
    "teams": col(Counters.team),
}


def _sum(name: str) -> Any:
    if name == "void_seats":
        return func.sum(case((col(Counters.void), col(Counters.seats)), else_=0))
    column: Any = col(getattr(Counters, name))
    if name == "games":
        column = col(Counters.games) - col(Counters.again)
    if name in USED:
        return func.sum(column)
    return func.sum(case((~col(Counters.void), column), else_=0))


def _tournaments(session: Session) -> dict[int, tuple[str, datetime]]:
    lease: Any = col(TournamentLease.tournament_id) == col(Tournament.id)
    query: Any = select(
        col(Tournament.id), col(Tournament.name), col(Tournament.finished_at),
        col(TournamentLease.told_at), col(Tournament.started_at), col(Tournament.created_at),
    ).outerjoin(TournamentLease, lease)  # fmt: skip
    return {
        key: (name, next(aware(time) for time in times if time is not None))
        for key, name, *times in session.execute(query)
    }


def _names(session: Session, entities: str) -> dict[int, str] | None:
    """What the keys of entities are called; None where they are their own names."""
    if entities == "agents":
        return {key: each.name for key, each in agent_names(session).items()}
    table: Any = {
        "models": Model, "prompts": Prompt, "kinds": Kind, "environments": Environment,
        "tournaments": Tournament,
    }.get(entities)  # fmt: skip
    if table is None:
        return None
    return {row[0]: row[1] for row in session.execute(select(col(table.id), col(table.name)))}


def _known(noun: str, asked: str, known: tuple[str, ...]) -> None:
    if asked not in known:
        near = difflib.get_close_matches(asked, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise BadSelection(f"unknown {noun} {asked[:80]!r}: {hint}expected {', '.join(known)}")
