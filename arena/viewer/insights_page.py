"""The findings as a page says them: under their questions, each on the axis of its question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arena.reports.insights import AnsweredQuestion, InsightFinding, InsightsReport
from arena.stats.contrasts import FEWEST_GAMES
from arena.viewer.charts import Axis, axis

WIDTH = 240
"""Units of an axis of differences."""
SHOWN = 8
"""Findings of a question that are open."""


@dataclass(frozen=True, slots=True)
class DrawnFinding:
    """A finding with the places of its marks; `calls` is the query of its failed calls, where it is
    about these."""

    finding: InsightFinding
    low: float
    at: float
    high: float
    calls: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class DrawnQuestion:
    """A question, with its findings on one `scale` of points, `zero` on it: those that are open,
    and the `rest`."""

    question: AnsweredQuestion
    scale: Axis
    zero: float
    shown: tuple[DrawnFinding, ...]
    rest: tuple[DrawnFinding, ...]


@dataclass(frozen=True, slots=True)
class InsightsPage:
    """The conclusion, the questions with findings, those without, and those that had too few
    trials."""

    conclusion: str
    rests_on: str
    found: tuple[DrawnQuestion, ...]
    missed: tuple[AnsweredQuestion, ...]
    too_few: tuple[AnsweredQuestion, ...]


def insights_page(report: InsightsReport) -> InsightsPage:
    """A report, ready to be drawn; the question with the surest large finding first."""
    order = dict.fromkeys(finding.question for finding in report.findings)
    told = {question.name: question for question in report.questions}
    return InsightsPage(
        conclusion(report),
        rests_on(report),
        tuple(_question(told[name], report) for name in order),
        tuple(each for each in report.questions if each.asked and not each.found),
        tuple(each for each in report.questions if not each.asked),
    )


def conclusion(report: InsightsReport) -> str:
    """What was found, in a sentence."""
    number = len(report.findings)
    if not report.asked:
        return "There is too little to compare yet"
    if not number:
        return "Nothing stands out"
    return "One thing stands out" if number == 1 else f"{number:,} things stand out"


def rests_on(report: InsightsReport) -> str:
    """What that rests on."""
    games = "1 game" if report.games == 1 else f"{report.games:,} games"
    if report.left_out:
        games = f"the newest {games}"
    if not report.asked:
        return f"A comparison needs {FEWEST_GAMES} games on each side; found {games}."
    share = f"{100 * report.alpha:.0f} %"
    asked = f"{report.asked:,} comparisons in {games} were tested together"
    if not report.findings:
        return f"{asked}, and none differs by more than chance would make it."
    return f"{asked}: of what is found here, at most {share} is chance on average."


def _question(question: AnsweredQuestion, report: InsightsReport) -> DrawnQuestion:
    mine = [finding for finding in report.findings if finding.question == question.name]
    ends = [100 * end for finding in mine for end in (finding.low, finding.high)]
    scale = axis([0.0, *ends], 4, WIDTH - 4, 4)
    drawn = tuple(
        DrawnFinding(
            finding,
            scale.at(100 * finding.low),
            scale.at(100 * finding.difference),
            scale.at(100 * finding.high),
            _calls(finding),
        )
        for finding in mine
    )
    return DrawnQuestion(question, scale, scale.at(0.0), drawn[:SHOWN], drawn[SHOWN:])


def _calls(finding: InsightFinding) -> dict[str, str] | None:
    if finding.question == "failed-calls":
        return dict(finding.filter)
    if finding.question.startswith("failed-"):
        return {"failed": finding.question.removeprefix("failed-"), **finding.filter}
    return None
