"""Suggestions as a page shows them: beside the findings they were made of, and in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.reports.insights import InsightsReport
from arena.reports.suggestions import (
    SuggestionReport,
    effect_words,
    suggestion_key,
    suggestion_scope,
)
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class DrawnSuggestion:
    """A suggestion with its newest effect in words, None before one was measured."""

    of: SuggestionReport
    effect: str | None


@dataclass(frozen=True, slots=True)
class SuggestionsPart:
    """The suggestions of the games that are shown, and those of the findings, by (question,
    part)."""

    all: tuple[DrawnSuggestion, ...]
    by_finding: Mapping[tuple[str, str], DrawnSuggestion]


def suggestions_part(
    kept: Sequence[SuggestionReport], report: InsightsReport | None, selection: Selection
) -> SuggestionsPart:
    """The suggestions beside the findings of a report on the games of a selection; of some games
    only those that were made of just these, because a page of a filter tells nothing of others."""
    scope = suggestion_scope(selection)
    drawn = [
        DrawnSuggestion(each, None if each.effect is None else effect_words(each.effect))
        for each in kept
        if not scope or each.evidence["scope"] == scope
    ]
    keys = {each.of.key: each for each in drawn}
    findings = () if report is None else report.findings
    named = ((one, keys.get(suggestion_key(one, selection))) for one in findings)
    return SuggestionsPart(
        tuple(drawn),
        {(one.question, one.part): found for one, found in named if found is not None},
    )
