"""A comparison of two agents as a frame: what its test said after each block."""

from __future__ import annotations

from typing import Any, Unpack

import pandas as pd

from arena.analysis.columns import FLOAT, INTEGER, STRING, series
from arena.analysis.source import Filters
from arena.compare.answer import Comparison
from arena.compare.on_record import on_record
from arena.compare.played import played
from arena.compare.question import Question
from arena.core import UsageError
from db.database import Source
from db.errors import DatabaseError
from db.selection import Selection
from db.session import get_session


def compare(
    a: str,
    b: str,
    source: Source = None,
    *,
    test: str = "evalue",
    players: int | None = None,
    seating: str | None = None,
    h0: float | None = None,
    h1: float | None = None,
    alpha: float | None = None,
    beta: float | None = None,
    **filters: Unpack[Filters],
) -> Comparison:
    """Whether A is better than B, from games on record, as `arena compare A B --played` says it;
    nothing is played. The filters choose among those games.

    Raises UsageError for agents that never met, for a question that makes no sense, and for what
    the database does not hold.
    """
    question = Question(
        a, b, players=players, seating=seating, test=test, h0=h0, h1=h1, alpha=alpha, beta=beta
    )
    try:
        return played(source, question, Selection(**filters))
    except DatabaseError as error:
        raise UsageError(str(error)) from error


def comparison_df(comparison: Comparison | str, source: Source = None) -> pd.DataFrame:
    """One row per block, in the order in which the test saw them.

    block (from 1) · score (A's in it, 0 to 1) · statistic (the log likelihood ratio of `gsprt`, the
    log of the e-value of `evalue`, z of `fixed`), lower, upper (the bounds that end the test) ·
    estimate (A's mean score so far), low, high (its 95 % interval, which holds at any time) ·
    decision. `a`, `b`, `test` and `sentence` are in the frame's attrs.

    `comparison` is one that `compare` made, or the name of the tournament of a comparison. Raises
    UsageError for a tournament that is not on record or is no comparison, and for a test of a fixed
    size that is not at its end.
    """
    found = comparison
    if not isinstance(found, Comparison):
        try:
            with get_session(source, create=False) as session:
                found = on_record(session, found)
        except DatabaseError as error:
            raise UsageError(str(error)) from error
    steps = found.steps()
    first = found.verdict.blocks - len(steps) if found.verdict else 0
    rows: dict[str, tuple[list[Any], Any]] = {
        "block": ([first + place for place in range(1, len(steps) + 1)], INTEGER),
        "score": ([*found.scores[first : first + len(steps)]], FLOAT),
        "statistic": ([step.statistic for step in steps], FLOAT),
        "lower": ([step.bounds[0] for step in steps], FLOAT),
        "upper": ([step.bounds[1] for step in steps], FLOAT),
        "estimate": ([step.estimate for step in steps], FLOAT),
        "low": ([step.interval[0] for step in steps], FLOAT),
        "high": ([step.interval[1] for step in steps], FLOAT),
        "decision": ([str(step.decision) for step in steps], STRING),
    }
    frame = pd.DataFrame({name: series(values, dtype) for name, (values, dtype) in rows.items()})
    frame.attrs.update(a=found.a, b=found.b, test=found.options.test, sentence=found.sentence)
    return frame
