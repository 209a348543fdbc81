"""The figures of a comparison as `arena compare` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arena.cli.evidence import score, statistic_words
from arena.cli.output import count, money

if TYPE_CHECKING:
    from arena.compare import Comparison
    from arena.compare.voids import VoidRange
    from arena.stats.covariates import AdjustedMean


def figures(found: Comparison) -> list[str]:
    """The score, its evidence, the games and the money of a comparison, a line each."""
    from arena.reports.voids import shares

    verdict = found.verdict
    spent = "" if found.dollars is None else f", {money(found.dollars)}"
    void = f", {found.void:,} of them void" if found.void else ""
    lines = []
    if verdict is not None and verdict.estimate is not None:
        low, high = verdict.interval
        lines.append(
            f"score of {found.a}: {score(verdict.estimate)}, 95 % interval {score(low)} to "
            f"{score(high)}"
        )
        lines.append(_evidence(found))
    if found.covariate is not None:
        lines.append(_adjusted(found.covariate, found.adjusted))
    if found.void_range is not None:
        lines += _open(found.a, found.void_range)
    used = f"{count(verdict.games, 'game')} used" if verdict is not None else "none used"
    lines.append(f"{count(found.settled, 'game')} played{void}, {used}{spent}")
    if found.voids:
        lines.append(f"void, every attempt counted: {shares(found.voids)}")
    if found.fixed_games is not None:
        edge = score(found.options.h1)
        lines.append(
            f"a test of a fixed size would have needed {count(found.fixed_games, 'game')} to see "
            f"{edge} with probability {score(1 - found.options.beta)}"
        )
    return lines


def _adjusted(covariate: str, found: AdjustedMean | None) -> str:
    if found is None:
        return f"adjusted by {covariate}: too few blocks, or nothing in them varies"
    return (
        f"adjusted by {covariate}: {score(found.score)}, at one look "
        f"{' to '.join(map(score, found.interval))}; it saved {score(found.saved)} of the "
        "variance, and decides nothing"
    )


def _open(a: str, between: VoidRange) -> list[str]:
    """What void games may have done to the score."""
    holds = {None: "", True: "; the decision stands whatever they had brought"}
    return [
        f"{count(between.games, 'game')} with a void attempt, all counted against {a}: score "
        f"{score(between.low)}, for {a}: {score(between.high)}"
        + holds.get(between.robust, "; the decision does not stand whatever they had brought")
    ]


def _evidence(found: Comparison) -> str:
    verdict = found.verdict
    assert verdict is not None
    p = f"p {verdict.p:.2g}" if verdict.p >= 1e-4 else "p < 0.0001"
    always = ", at any time" if verdict.test == "evalue" else ""
    said = statistic_words(verdict.test, verdict.statistic, verdict.bounds)
    return f"{said}; {p}{always}"
