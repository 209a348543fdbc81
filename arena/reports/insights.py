"""Findings in the games on record: what differs, by how much, how sure that is, and where to look.

Every comparison of every question is tested, all of them together (`arena.stats.contrasts`): what
is said to be found is wrong in at most a share `alpha` of the cases on average, however many
questions were asked. What was looked for and not found is said too.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from arena.core import UsageError
from arena.reports.insight_questions import InsightQuestion, questions
from arena.stats.contrasts import Contrast, contrasts, width
from arena.stats.false_discoveries import discoveries
from arena.stats.proportions import design_effect, wilson
from db import Session
from db.queries.failed_calls import error_classes
from db.queries.trials import (
    GamesAsked,
    TrialSum,
    games_asked,
    part_names,
    seat_turns,
    shown_sql,
    trial_places,
    trial_sums,
)
from db.selection import Selection

MOST = 10_000
"""Games that are looked at, the newest: some seconds of reading."""
ALPHA = 0.05
_PLACES = 6
_ERRORS = 6


@dataclass(frozen=True, slots=True)
class InsightFinding:
    """A part that differs from the others in its strata, or does not: its `share` and theirs, the
    `difference` with its interval, in shares from 0 to 1, and the e-value against no difference;
    `trials` in `games` of which `true` came true. `places` are (game, turn) that show it. `filter`
    is a selection of games of it, where there is one."""

    question: str
    part: str
    label: str
    share: float
    others: float
    difference: float
    low: float
    high: float
    log_evalue: float
    trials: int
    true: float
    games: int
    sentence: str
    places: tuple[tuple[int, int | None], ...]
    filter: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """What came of a question: how many parts were `asked` and how many had too few trials to be;
    of all `trials` in `games` a `share` came true, with its 95 % interval, None without any.
    `largest` is the largest difference that was not found, `sql` what anybody can run to see the
    shares."""

    name: str
    title: str
    why: str
    true: str
    asked: int
    too_few: int
    found: int
    trials: int
    games: int
    share: float | None
    low: float | None
    high: float | None
    largest: InsightFinding | None
    sql: str


@dataclass(frozen=True, slots=True)
class InsightsReport:
    """The findings, the surest and largest first, and what became of every question. `games` were
    looked at, the `newest` among them; `left_out` says that there are older ones. `asked` counts
    the comparisons that were tested together."""

    games: int
    newest: int | None
    left_out: bool
    asked: int
    alpha: float
    findings: tuple[InsightFinding, ...]
    questions: tuple[AnsweredQuestion, ...]


@dataclass(slots=True)
class _Answered:
    question: InsightQuestion
    rows: list[TrialSum]
    parts: list[str]
    found: list[Contrast]
    too_few: int


def insights(
    session: Session, selection: Selection | None = None, *, most: int = MOST
) -> InsightsReport:
    """What is found in the newest games of a selection. Raises BadSelection for what is not on
    record."""
    import numpy as np

    asked = games_asked(session, selection or Selection(), most)
    names = part_names(session)
    answered = []
    for question in questions(error_classes(session)[:_ERRORS]) if asked.games else ():
        rows = trial_sums(session, asked, question.trials)
        answered.append(_contrasts(question, rows))
    tests = [(each, contrast) for each in answered for contrast in each.found]
    logs = np.array([contrast.log_evalue for _, contrast in tests])
    found = discoveries(logs, ALPHA) if tests else np.zeros(0, dtype=bool)
    wide = width(len(tests), int(found.sum()), ALPHA) if tests else 0.0
    findings: list[InsightFinding] = []
    missed: dict[str, InsightFinding] = {}
    for (each, contrast), is_found in zip(tests, found, strict=True):
        made = _finding(each, contrast, wide, names)
        if is_found:
            findings.append(_with_places(session, each, made))
        else:
            known = missed.get(each.question.name)
            if known is None or abs(made.difference) > abs(known.difference):
                missed[each.question.name] = made
    findings.sort(key=lambda one: (-_least(one), one.question, one.part))
    count = dict.fromkeys((each.question.name for each in answered), 0)
    for one in findings:
        count[one.question] += 1
    return InsightsReport(
        asked.games,
        asked.newest,
        asked.more,
        len(tests),
        ALPHA,
        tuple(findings),
        tuple(
            _told(each, asked, count[each.question.name], missed.get(each.question.name))
            for each in answered
        ),
    )


def question_sql(
    session: Session, name: str, selection: Selection | None = None, *, most: int = MOST
) -> str:
    """The statement behind a question, to be run by anybody. Raises UsageError for one that is
    not asked, BadSelection for what is not on record."""
    known = {each.name: each for each in questions(error_classes(session)[:_ERRORS])}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"unknown question {name!r}: expected {', '.join(known)}{hint}")
    return shown_sql(games_asked(session, selection or Selection(), most), known[name].trials)


def _contrasts(question: InsightQuestion, rows: list[TrialSum]) -> _Answered:
    import numpy as np

    if not rows:
        return _Answered(question, rows, [], [], 0)
    games, strata, parts, true, trials = zip(*rows, strict=True)
    known, part = np.unique(np.array(parts), return_inverse=True)
    _, stratum = np.unique(np.array(strata), return_inverse=True)
    found, too_few = contrasts(np.array(games), stratum, part, np.array(true), np.array(trials))
    return _Answered(question, rows, [str(each) for each in known], found, too_few)


def _least(found: InsightFinding) -> float:
    """The least difference that the interval holds."""
    return min(abs(found.low), abs(found.high))


def _finding(
    each: _Answered, contrast: Contrast, wide: float, names: Mapping[str, Mapping[str, str]]
) -> InsightFinding:
    question, part = each.question, each.parts[contrast.part]
    low, high = contrast.interval(wide)
    label, chosen = _label(question, part, names)
    more = "more" if contrast.difference > 0 else "fewer"
    return InsightFinding(
        question.name,
        part,
        label,
        contrast.share,
        contrast.others,
        contrast.difference,
        low,
        high,
        contrast.log_evalue,
        round(contrast.trials),
        contrast.true,
        contrast.games,
        f"{percent(contrast.share)} {question.true}, {points(contrast.difference)} {more} than "
        f"{question.others} ({percent(contrast.others)})",
        (),
        chosen,
    )


def _with_places(session: Session, each: _Answered, made: InsightFinding) -> InsightFinding:
    true = made.difference > 0
    games = []
    for row in reversed(each.rows):
        if row.part == made.part and (row.x > 0 if true else row.x < row.n):
            if row.game not in games:
                games.append(row.game)
            if len(games) == _PLACES:
                break
    places: list[tuple[int, int | None]] = []
    if games and each.question.turns is None:
        places = trial_places(
            session, each.question.trials, games, made.part, true=true, limit=_PLACES
        )
    elif games and true:
        places = seat_turns(session, games, int(made.part), each.question.turns or "", _PLACES)
    return replace(made, places=tuple(places))


def _told(
    each: _Answered, asked: GamesAsked, found: int, largest: InsightFinding | None
) -> AnsweredQuestion:
    trials = sum(row.n for row in each.rows)
    by_game: dict[int, list[float]] = {}
    for row in each.rows:
        sums = by_game.setdefault(row.game, [0.0, 0.0])
        sums[0] += row.x
        sums[1] += row.n
    share = low = high = None
    if trials:
        share = sum(row.x for row in each.rows) / trials
        between = sum((x - share * n) ** 2 for x, n in by_game.values())
        effect = max(design_effect(share, trials, between, len(by_game)), 1.0)
        low, high = wilson(share, trials / effect)
    question = each.question
    return AnsweredQuestion(
        question.name, question.title, question.why, question.true, len(each.found), each.too_few,
        found, round(trials), len(by_game), share, low, high, largest,
        shown_sql(asked, question.trials),
    )  # fmt: skip


def _label(
    question: InsightQuestion, part: str, names: Mapping[str, Mapping[str, str]]
) -> tuple[str, dict[str, str]]:
    """What a part is called, and the selection of games of it."""
    if question.part == "agent":
        return names["agent"].get(part, part), {"agent": part}
    if question.part == "model":
        name = names["model"].get(part)
        return name or part, {"model": name} if name else {}
    if question.part == "role":
        return part or "without a role", {"role": part} if part else {}
    first, _, rest = part.partition("/")
    if question.part == "prompt":
        name = names["prompt"].get(first, first)
        chosen = {"prompt": first, "role": rest} if rest else {"prompt": first}
        return f"{name} as {rest}" if rest else name, chosen
    if question.part == "seat":
        return f"player {rest} of {names['environment'].get(first, first)}", {"environment": first}
    if question.part == "claim":
        return f"a {first} claim to be {rest}", {}
    return part, {}


def percent(share: float) -> str:
    """A share from 0 to 1, with a place where it is small: `3.1 %`."""
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def points(difference: float) -> str:
    """The size of a difference of two shares: `3.1 points`."""
    size = 100 * abs(difference)
    return f"{size:.1f} points" if size < 10 else f"{size:.0f} points"
