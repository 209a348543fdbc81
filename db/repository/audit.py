"""Writes the trail: every change of the rows that people make, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, insert
from sqlmodel import Session, SQLModel, col, select

from db.login import login_name
from db.models import WHOLE_GAME, Agent, Annotation, AuditEntry, Environment, Kind, Model, Prompt
from db.models.audit import AUDITED
from db.models.columns import aware, clean_text
from db.queries.annotations import AnnotationRow, annotation
from db.versions import VersionedName

AuditAction = Literal["add", "edit", "status", "delete", "forget"]
RowState = Mapping[str, Any]

_NEVER = frozenset({"id", "created_at", "updated_at"})
_NAMED: Mapping[str, tuple[str, type[SQLModel]]] = {
    "kind_id": ("kind", Kind),
    "model_id": ("model", Model),
    "prompt_id": ("prompt", Prompt),
    "forked_from": ("forked_from", Prompt),
    "environment_id": ("environment", Environment),
}
_ACTOR = "actor"
_LONGEST_ACTOR = 80


def acting_as(session: Session, actor: str | None) -> None:
    """From now on, what this session changes was changed by `actor`; None is whoever is logged in
    at this machine."""
    session.info[_ACTOR] = actor


def actor_of(session: Session) -> str:
    """Who changes what this session changes; `nobody` where nobody is logged in."""
    said = " ".join(clean_text(session.info.get(_ACTOR) or login_name() or "").split())
    return said[:_LONGEST_ACTOR] or "nobody"


def record_change(
    session: Session,
    entity: str,
    entity_id: int,
    entity_name: str,
    action: AuditAction,
    *,
    before: RowState | None = None,
    after: RowState | None = None,
    reason: str | None = None,
) -> None:
    """Append to the trail, in the session's transaction. Of two states of a row only the columns
    that differ are kept, and nothing is appended where none does."""
    if before is not None and after is not None:
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        if not names:
            return
        before = {name: before.get(name) for name in names}
        after = {name: after.get(name) for name in names}
    session.flush()
    entry = AuditEntry(
        actor=actor_of(session),
        entity=entity,
        entity_id=entity_id,
        entity_name=clean_text(entity_name),
        action=action,
        before=_told(before, whole=after is None),
        after=_told(after, whole=before is None),
        reason=reason,
    )
    columns = {name: getattr(entry, name) for name in AuditEntry.model_fields if name != "id"}
    session.execute(insert(AuditEntry).values(**columns))


def record_row(
    session: Session,
    row: SQLModel,
    action: Literal["add", "delete"],
    *,
    reason: str | None = None,
) -> None:
    """Append that a row, which has its key, was added or is deleted; of rows of tables that are not
    AUDITED nothing is said."""
    table = table_of(row)
    if table not in AUDITED:
        return
    state = state_of(session, row)
    record_change(
        session,
        table,
        key_of(row),
        name_of(session, row),
        action,
        before=state if action == "delete" else None,
        after=state if action == "add" else None,
        reason=reason,
    )


@contextmanager
def recorded(
    session: Session, row: SQLModel, *, action: AuditAction = "edit", reason: str | None = None
) -> Iterator[None]:
    """A block that changes a row: what differs after it is appended to the trail."""
    if table_of(row) not in AUDITED:
        yield
        return
    before = state_of(session, row)
    yield
    session.flush()
    record_change(
        session,
        table_of(row),
        key_of(row),
        name_of(session, row),
        action,
        before=before,
        after=state_of(session, row),
        reason=reason,
    )


def record_annotations(
    session: Session,
    which: ColumnElement[bool],
    action: Literal["add", "delete"],
    *,
    reason: str | None = None,
) -> None:
    """Append that the annotations of a condition were added, or are deleted with their games."""
    query = select(Annotation).where(which).order_by(col(Annotation.id))
    for row in session.exec(query).all():
        turn = None if row.turn == WHOLE_GAME else row.turn
        said = annotation(session, row.game_id, turn, row.annotator)
        state = annotation_state(said)
        record_change(
            session,
            "annotations",
            key_of(row),
            annotation_name(row.game_id, turn, row.annotator),
            action,
            before=state if action == "delete" else None,
            after=state if action == "add" else None,
            reason=reason,
        )


def annotation_state(row: AnnotationRow | None) -> dict[str, Any] | None:
    """What the trail tells of an annotation; None where there is none."""
    if row is None:
        return None
    return {
        "rating": row.rating,
        "tags": [*row.tags],
        "comment": row.comment,
        "blind": row.blind,
    }


def table_of(row: SQLModel) -> str:
    return str(type(row).__tablename__)


def key_of(row: SQLModel) -> int:
    """The number of a row; 0 for one whose key is no number of its own."""
    return int(getattr(row, "id", None) or 0)


def state_of(session: Session, row: SQLModel) -> dict[str, Any]:
    """The columns of a row that the trail tells, by name; parts of agents by their names."""
    left_out = AUDITED[table_of(row)] | _NEVER
    found: dict[str, Any] = {}
    for name in type(row).model_fields:
        if name in left_out:
            continue
        value = getattr(row, name)
        if name in _NAMED:
            name, part = _NAMED[name]
            value = None if value is None else _part(session, part, value)
        found[name.rstrip("_")] = value
    return found


def name_of(session: Session, row: SQLModel) -> str:
    """What a row is called: an agent by its alias or its parts, a version of a kind with its
    number, a suggestion by its key."""
    if isinstance(row, Agent):
        parts = [
            _part(session, table, key)
            for table, key in ((Kind, row.kind_id), (Model, row.model_id), (Prompt, row.prompt_id))
        ]
        return row.alias or "/".join(parts)
    if isinstance(row, Kind):
        return VersionedName(row.name, row.version).label
    return str(getattr(row, "name", None) or getattr(row, "key", key_of(row)))


def annotation_name(game_id: int, turn: int | None, annotator: str) -> str:
    """An annotation by what is annotated and by whom."""
    return f"{game_id}{'' if turn is None else f':{turn}'} by {annotator}"


def _part(session: Session, table: type[SQLModel], key: int) -> str:
    found = session.get(table, key)
    return str(key) if found is None else str(getattr(found, "name", key))


def _told(state: RowState | None, *, whole: bool) -> dict[str, Any] | None:
    """A state as JSON; a `whole` one without the columns that are empty."""
    if state is None:
        return None
    return {
        name: aware(value).isoformat() if isinstance(value, datetime) else value
        for name, value in state.items()
        if not whole or value not in (None, {}, [])
    }
