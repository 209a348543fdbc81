"""Suggestions as a pandas frame: what was found, what was decided, and what came of it."""

from __future__ import annotations

import pandas as pd

from arena.analysis.columns import BOOLEAN, FLOAT, INTEGER, OBJECT, STRING, TIME, series
from arena.analysis.frame_query import Columns, Sources, chosen_columns, of_each
from arena.analysis.source import Readable, session_on
from arena.core import UsageError
from arena.reports.suggestions import SuggestionReport, suggestions
from db.errors import BadSuggestion

_COLUMNS = {
    "suggestion_id": INTEGER, "status": STRING, "category": STRING, "label": STRING,
    "description": STRING, "impact": FLOAT, "difference": FLOAT, "low": FLOAT, "high": FLOAT,
    "games": INTEGER, "decided_by": STRING, "decided_at": TIME, "effect_a": STRING,
    "effect_b": STRING, "effect_estimate": FLOAT, "effect_low": FLOAT, "effect_high": FLOAT,
    "effect_games": INTEGER, "effect_decided": BOOLEAN, "conclusion": STRING, "changes": OBJECT,
    "effects": OBJECT, "created_at": TIME, "updated_at": TIME,
}  # fmt: skip


def suggestions_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    status: str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """One row per suggestion, the greatest impact first.

    suggestion_id · status (open, accepted, rejected, done) · category, label, description (what was
    found, of whom, in words) · impact, difference, low, high (shares from 0 to 1), games (of the
    finding) · decided_by, decided_at (of the newest change of status, NA while there was none) ·
    effect_a, effect_b, effect_estimate, effect_low, effect_high, effect_games, effect_decided,
    conclusion (of the newest comparison, NA while there is none) · changes, effects (lists, all of
    them) · created_at, updated_at.

    Raises UsageError for a missing database and for what is no status.
    """
    names = chosen_columns([*_COLUMNS], columns) or [*_COLUMNS]

    def one(each: Readable) -> pd.DataFrame:
        with session_on(each) as session:
            try:
                found = suggestions(session, status)
            except BadSuggestion as error:
                raise UsageError(str(error)) from error
        rows = [_row(report) for report in (found if limit is None else found[:limit])]
        made = {name: series([row[name] for row in rows], kind) for name, kind in _COLUMNS.items()}
        return pd.DataFrame(made)[names]

    return of_each(source, one, limit)


def _row(found: SuggestionReport) -> dict[str, object]:
    seen, effect = found.evidence, found.effect
    change = found.changes[-1] if found.changes else None
    row: dict[str, object] = dict.fromkeys(_COLUMNS)
    row |= {
        "suggestion_id": found.id, "status": found.status, "category": found.category,
        "label": found.label, "description": found.description, "impact": found.impact,
        "difference": seen["difference"], "low": seen["low"], "high": seen["high"],
        "games": seen["games"], "changes": [*found.changes], "effects": [*found.effects],
        "created_at": found.created_at, "updated_at": found.updated_at,
    }  # fmt: skip
    if change is not None:
        row |= {"decided_by": change.by, "decided_at": change.at}
    if effect is not None:
        row |= {
            "effect_a": effect.a, "effect_b": effect.b, "effect_estimate": effect.estimate,
            "effect_low": effect.low, "effect_high": effect.high, "effect_games": effect.games,
            "effect_decided": effect.decided, "conclusion": effect.conclusion,
        }  # fmt: skip
    return row
