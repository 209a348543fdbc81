"""Writes what the run of a tournament says of itself, beside its lease."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.models.columns import storable_json
from db.writer.subject import Record, Rows, Subject, Writing

_TELL = "UPDATE leases SET told = ?::json, told_at = ? WHERE tournament_id = ?"


@dataclass(frozen=True, slots=True)
class RunTold:
    """What a run says of itself `at` a time of its own clock, in place of what it said before. It
    is of no game: `game_id` is that of none."""

    tournament_id: int
    at: datetime
    told: Mapping[str, Any]
    game_id: int = 0


def _told(writing: Writing, record: RunTold, following: Record | None) -> Rows:
    body = json.dumps(storable_json(dict(record.told)), separators=(",", ":"))
    return [(_TELL, (body, writing.moment(record.at), record.tournament_id))]


SUBJECT = Subject(statements=(_TELL,), rows={RunTold: _told})
