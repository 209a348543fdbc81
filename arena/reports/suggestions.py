"""Suggestions: findings that are kept, to be decided upon and measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from arena.reports.insights import InsightFinding, InsightsReport
from db import Repository, Session
from db.models import Suggestion
from db.models.columns import aware
from db.repository.rows import hashed
from db.selection import Selection

_SCOPE = ("tournament", "environment", "since", "until")


@dataclass(frozen=True, slots=True)
class SuggestionChange:
    """A change of the status: when, by whom, and why if that was said."""

    at: datetime
    by: str
    before: str
    after: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class SuggestionEffect:
    """What a comparison measured: the score of the agent `a` against `b`, from 0 to 1, with its
    95 % interval (None before it can be said), in so many `games`; `conclusion` says it in words,
    `decided` whether the test came to its end. `comparison` names the tournament or the question.
    """

    comparison: str
    at: datetime
    by: str
    a: str
    b: str
    environment: str
    players: int
    estimate: float | None
    low: float | None
    high: float | None
    games: int
    decided: bool
    conclusion: str


@dataclass(frozen=True, slots=True)
class SuggestionReport:
    """A suggestion as it is shown. `evidence` has the fields of the finding (`InsightFinding`), the
    `scope` that was asked and how many games were looked at; `impact` is a share from 0 to 1."""

    id: int
    key: str
    status: str
    category: str
    description: str
    impact: float
    evidence: Mapping[str, Any]
    changes: tuple[SuggestionChange, ...]
    effects: tuple[SuggestionEffect, ...]
    created_at: datetime
    updated_at: datetime

    @property
    def label(self) -> str:
        """Who or what it is about."""
        return str(self.evidence["label"])

    @property
    def effect(self) -> SuggestionEffect | None:
        """The newest."""
        return self.effects[-1] if self.effects else None


def suggestion_key(finding: InsightFinding, selection: Selection) -> str:
    """What names a finding in the games of a selection: found again, it is the same."""
    return hashed(finding.question, finding.part, suggestion_scope(selection))


def save_suggestions(
    session: Session, report: InsightsReport, selection: Selection
) -> Mapping[str, int]:
    """Keep every finding of a report; how many were `added`, `refreshed` and `unchanged`."""
    repo, titles = Repository(session), {each.name: each for each in report.questions}
    kept: Counter[str] = Counter(added=0, refreshed=0, unchanged=0)
    for finding in report.findings:
        question = titles[finding.question]
        evidence = {
            **asdict(finding),
            "places": [list(place) for place in finding.places],
            "filter": dict(finding.filter),
            "why": question.why,
            "scope": suggestion_scope(selection),
            "looked_at": report.games,
            "newest": report.newest,
        }
        least = 0.0 if finding.low * finding.high < 0 else min(abs(finding.low), abs(finding.high))
        kept[
            repo.keep_suggestion(
                suggestion_key(finding, selection),
                question.title,
                f"{finding.label}: {finding.sentence}",
                min(least, 1.0),
                evidence,
            )
        ] += 1
    return kept


def suggestion_report(row: Suggestion) -> SuggestionReport:
    """A row of the table as it is shown."""
    assert row.id is not None
    return SuggestionReport(
        row.id, row.key, row.status, row.category, row.description, row.impact, row.evidence,
        tuple(
            SuggestionChange(
                datetime.fromisoformat(each["at"]), each["by"], each["from"], each["to"],
                each["reason"],
            )
            for each in row.history["changes"]
        ),
        tuple(
            SuggestionEffect(**{**each, "at": datetime.fromisoformat(each["at"])})
            for each in row.history["effects"]
        ),
        aware(row.created_at),
        aware(row.updated_at),
    )  # fmt: skip


def suggestions(session: Session, status: str | None = None) -> Sequence[SuggestionReport]:
    """Those with a status, or all: the greatest impact first. Raises BadSuggestion for what is no
    status."""
    return [suggestion_report(row) for row in Repository(session).get_suggestions(status)]


def effect_words(effect: SuggestionEffect) -> str:
    """An effect in a line: `Bold scores 58.0 % against Plain (51.0 to 65.0, 120 games)`."""
    if effect.estimate is None or effect.low is None or effect.high is None:
        return f"{effect.a} against {effect.b}: {effect.conclusion}"
    games = "1 game" if effect.games == 1 else f"{effect.games:,} games"
    return (
        f"{effect.a} scores {100 * effect.estimate:.1f} % against {effect.b} "
        f"({100 * effect.low:.1f} to {100 * effect.high:.1f}, {games}"
        f"{'' if effect.decided else ', undecided'})"
    )


def suggestion_scope(selection: Selection) -> dict[str, str]:
    """The filters by which the games were chosen, as they were typed; empty for all games."""
    return {name: said for name in _SCOPE if (said := _words(getattr(selection, name)))}


def _words(asked: object) -> str:
    """What a filter was given: a name, a moment, or several of them."""
    if isinstance(asked, tuple | list | frozenset | set):
        return ", ".join(sorted(map(str, asked)))
    return "" if asked is None else str(asked)
