"""What was planted in games is found, with its size, its games and its query; the rest is not."""

from __future__ import annotations

import re

import pytest

from arena.core import UsageError
from arena.reports.insights import InsightsReport, insights, question_sql
from db import get_session
from db.errors import BadSelection
from db.selection import Selection
from tests.reports.planted import GAMES, planted


@pytest.fixture(scope="module")
def games(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The planted games."""
    url = f"sqlite:///{tmp_path_factory.mktemp('planted') / 'planted.db'}"
    planted(url)
    return url


def found(report: InsightsReport) -> dict[str, float]:
    """The differences that were found, in points, by question and label."""
    return {
        f"{one.question}: {one.label}": round(100 * one.difference, 1) for one in report.findings
    }


@pytest.mark.slow
def test_what_was_planted_is_found_and_nothing_else(games: str) -> None:
    with get_session(games) as session:
        report = insights(session)
    assert (report.games, report.newest, report.left_out) == (GAMES, GAMES, False)
    told = found(report)
    assert told == {
        "illegal-by-phase: talk": -50.0,
        "illegal-by-agent: agent-0": -40.0,
        "words-by-agent: agent-0": -100.0,
        "seats: player 0 of Nim-v0, 2 players": 80.0,
        "failed-calls: model-0": -20.0,
        "failed-Timeout: model-0": -20.0,
        "cut-replies: model-0": 33.3,
        "votes-by-agent: agent-0": 100.0,
    }
    for one in report.findings:
        assert one.low * one.high > 0, "the interval of a finding leaves out 0"
        assert one.low < one.difference < one.high
    answers = {each.name: each for each in report.questions}
    assert answers["refusals"].asked == 0
    assert sum(each.asked for each in report.questions) == report.asked
    assert all(each.found == (each.name in {one.question for one in report.findings})
               for each in report.questions)  # fmt: skip


@pytest.mark.slow
def test_a_server_finds_the_same(games: str, postgresql_url: str) -> None:
    planted(postgresql_url)
    with get_session(games) as one, get_session(postgresql_url) as other:
        mine, theirs = insights(one), insights(other)
    assert found(theirs) == found(mine)
    assert [each.places for each in theirs.findings] == [each.places for each in mine.findings]
    for here, there in zip(mine.questions, theirs.questions, strict=True):
        assert (here.asked, here.trials, here.share) == (there.asked, there.trials, there.share)


@pytest.mark.slow
def test_each_finding_shows_where_it_can_be_seen(games: str) -> None:
    with get_session(games) as session:
        report = insights(session)
        by_name = {one.question: one for one in report.findings}
        assert by_name["seats"].places[0][0] == GAMES - 1, "game 60 was won by the other"
        assert by_name["cut-replies"].places[0][0] == GAMES
        assert by_name["seats"].filter == {"environment": "1"}
        assert by_name["votes-by-agent"].filter == {"agent": "1"}
        for one in report.findings:
            assert all(game <= GAMES for game, _ in one.places)


def test_the_query_of_a_question_gives_its_shares(games: str) -> None:
    with get_session(games) as session:
        report = insights(session)
        for question in report.questions:
            rows = session.connection().exec_driver_sql(question.sql).all()
            assert sum(row.n for row in rows) == question.trials, question.name
            if question.trials:
                true = sum(float(row.x) for row in rows)
                assert true / question.trials == pytest.approx(question.share)
        assert question_sql(session, "seats") == next(
            each.sql for each in report.questions if each.name == "seats"
        )
        with pytest.raises(UsageError, match="did you mean 'seats'"):
            question_sql(session, "seat")


def test_games_are_chosen_and_old_ones_left_out(games: str) -> None:
    with get_session(games) as session:
        few = insights(session, most=30)
        assert (few.games, few.left_out, few.newest) == (30, True, GAMES)
        assert "LIMIT 30" in re.sub(r"\s+", " ", few.questions[0].sql)
        none = insights(session, Selection(since="2027-01-01"))
        assert (none.games, none.asked, none.findings) == (0, 0, ())
        with pytest.raises(BadSelection):
            insights(session, Selection(tournament="nothing"))
