"""By which kinds of failure calls gave no answer, and where the newest of each is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from arena.reports.calls import failure_of
from arena.reports.usage import PartUsage
from db import Session
from db.queries.failed_calls import FailedCallRow, failed_calls
from db.selection import Selection

NEWEST = 60
"""Failed calls that are sorted by kind."""
_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True)
class FailedKind:
    """Failed `calls` of a kind among the newest ones, with the newest of them; `failure` is a word
    for the kind and `advice` what to do, None where the record says too little."""

    error_class: str
    failure: str | None
    advice: str | None
    calls: int
    newest: FailedCallRow


def failed_kinds(session: Session, selection: Selection) -> tuple[FailedKind, ...]:
    """The newest failed calls of a selection by kind, the most frequent first. Raises BadSelection
    for what is not on record."""
    found = failed_calls(session, selection, limit=NEWEST, most=_LOOKED_AT)
    kinds: dict[tuple[str, str | None], list[tuple[FailedCallRow, str | None]]] = defaultdict(list)
    for row in found.rows:
        failure, advice = failure_of(row.error_class, row.error_status, row.error_message)
        kinds[row.error_class, failure].append((row, advice))
    made = [
        FailedKind(name, failure, rows[0][1], len(rows), rows[0][0])
        for (name, failure), rows in kinds.items()
    ]
    return tuple(sorted(made, key=lambda kind: -kind.calls))


def failed_of(
    session: Session, usage: PartUsage | None, selection: Selection, uncounted: Sequence[str]
) -> tuple[FailedKind, ...]:
    """The kinds of failed calls of a selection; not looked for where its counters, unless there are
    `uncounted` tournaments, know of none."""
    if usage is not None and not usage.failed and not uncounted:
        return ()
    return failed_kinds(session, selection)
