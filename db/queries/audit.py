"""The trail as it is read: what was changed, the newest first, and the statuses of a tournament."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, tuple_
from sqlmodel import Session

from db.errors import BadSelection
from db.finding import unknown
from db.models import Game
from db.models.audit import AUDITED
from db.models.columns import aware
from db.selection import Moment, moment

_LOG = Game.metadata.tables["audit_log"]
_COLUMNS = (
    _LOG.c.id, _LOG.c.at, _LOG.c.actor, _LOG.c.entity, _LOG.c.entity_id, _LOG.c.entity_name,
    _LOG.c.action, _LOG.c.before, _LOG.c.after, _LOG.c.reason,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry of the trail: `actor` changed, at `at`, the row of the table `entity` that is called
    `entity_name`, from `before` to `after`: the columns that differ, or all of a row that was added
    or deleted."""

    id: int
    at: datetime
    actor: str
    entity: str
    entity_id: int
    entity_name: str
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class StatusMove:
    """A tournament's move from a status to another; `before` is None when it was made."""

    before: str | None
    after: str
    reason: str | None
    actor: str
    at: datetime


def audit_rows(
    session: Session,
    *,
    entity: str | None = None,
    entity_id: int | None = None,
    name: str | None = None,
    actor: str | None = None,
    since: Moment = None,
    until: Moment = None,
    limit: int | None = None,
    older_than: int | None = None,
) -> list[AuditRow]:
    """The entries of a table, of one row of it by its number, of the rows that are or were called
    `name`, by an actor, and at `since` or later and before `until`; the newest first, and of those
    only the ones before the entry `older_than`. Raises BadSelection for an entity that is not on
    the trail, and for a name or an actor of which there is no entry, with the nearest that there
    is."""
    wanted = audit_conditions(
        session,
        entity=entity,
        entity_id=entity_id,
        name=name,
        actor=actor,
        since=since,
        until=until,
    )
    query = select(*_COLUMNS).where(*wanted).order_by(_LOG.c.id.desc())
    if older_than is not None:
        query = query.where(_LOG.c.id < older_than)
    return _rows(session, query if limit is None else query.limit(limit))


def audit_conditions(
    session: Session | Connection,
    *,
    entity: str | None = None,
    entity_id: int | None = None,
    name: str | None = None,
    actor: str | None = None,
    since: Moment = None,
    until: Moment = None,
) -> list[ColumnElement[bool]]:
    """The conditions of `audit_rows` on the columns of the table. Raises BadSelection."""
    for what, column, value in (
        ("entity", _LOG.c.entity, entity),
        ("name on the trail", _LOG.c.entity_name, name),
        ("actor", _LOG.c.actor, actor),
    ):
        _check_known(session, what, column, value)
    found: list[ColumnElement[bool]] = []
    if entity is not None:
        found.append(_LOG.c.entity == entity)
    if entity_id is not None:
        found.append(_LOG.c.entity_id == entity_id)
    if name is not None:
        # A row that was renamed is found by each of its names.
        named = _LOG.alias("named")
        bearing = select(named.c.entity, named.c.entity_id).where(named.c.entity_name == name)
        found.append(tuple_(_LOG.c.entity, _LOG.c.entity_id).in_(bearing))
    if actor is not None:
        found.append(_LOG.c.actor == actor)
    first, last = moment(since), moment(until)
    if first is not None:
        found.append(_LOG.c.at >= first)
    if last is not None:
        found.append(_LOG.c.at < last)
    return found


def audit_entities(session: Session) -> list[tuple[str, int]]:
    """(entity, its entries), by name."""
    query = select(_LOG.c.entity, func.count()).group_by(_LOG.c.entity).order_by(_LOG.c.entity)
    return [(entity, int(count)) for entity, count in session.execute(query)]


def status_history(session: Session, tournament_id: int) -> list[StatusMove]:
    """The statuses of a tournament in the order in which it had them, as far as the trail goes
    back."""
    mine = (_LOG.c.entity == "tournaments", _LOG.c.entity_id == tournament_id)
    # SQLite gives the number of a row that was deleted to another one.
    made = select(func.max(_LOG.c.id)).where(*mine, _LOG.c.action == "add").scalar_subquery()
    query = (
        select(*_COLUMNS)
        .where(*mine, _LOG.c.action.in_(("add", "status")), _LOG.c.id >= func.coalesce(made, 0))
        .order_by(_LOG.c.id)
    )
    return [
        StatusMove(
            None if row.before is None else row.before.get("status"),
            row.after["status"],
            row.reason,
            row.actor,
            row.at,
        )
        for row in _rows(session, query)
        if row.after is not None and "status" in row.after
    ]


def _check_known(session: Session | Connection, what: str, column: Any, value: str | None) -> None:
    if value is None:
        return
    if session.execute(select(_LOG.c.id).where(column == value).limit(1)).first() is None:
        if column is _LOG.c.entity and value in AUDITED:
            return  # nothing of it was changed yet
        known = [*session.execute(select(column).distinct().limit(10_000)).scalars()]
        if column is _LOG.c.entity:
            known += AUDITED
        raise BadSelection(unknown(what, value, known))


def _rows(session: Session, query: Select[Any]) -> list[AuditRow]:
    return [AuditRow(key, aware(at), *rest) for key, at, *rest in session.execute(query)]
