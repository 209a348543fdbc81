"""The pages of tournaments: how far they are, what they cost, what resumes them."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arena.reports.run_status import telling
from db import get_session
from db.queries.running import told_by_runs
from tests.viewer.browser import NAMES, Get, browsing


@pytest.fixture
def stopped(watched: str, tmp_path: Path) -> str:
    """The same tournament with a game less, as a run leaves it that was stopped in the middle."""
    file = tmp_path / "stopped.db"
    shutil.copyfile(watched.removeprefix("sqlite:///"), file)
    with closing(sqlite3.connect(file)) as connection, connection:
        # No game that has ended is played on: this one never did.
        connection.execute("DROP TRIGGER games_moved")
        connection.execute("DROP TRIGGER tournaments_status")
        connection.execute("UPDATE games SET status = 'running', final = 0 WHERE id = 3")
        # They are counted again from the games.
        connection.execute("UPDATE tournaments SET status = 'running', counters_version = NULL")
    return f"sqlite:///{file}"


def test_the_list_says_how_far_each_is_and_who_leads(get: Get) -> None:
    page = get("/tournaments").text
    assert "None is being played now." in page
    row = re.search(r'<a href="/t/watched">.*?</tr>', page, re.DOTALL)
    assert row
    assert "finished" in row[0]
    assert ">3 <small>of 3</small>" in row[0]
    assert any(name in row[0] for name in NAMES)
    assert get("/tournaments?before=1").text.count("<tr") == 0
    assert get("/tournaments?before=x").status_code == 404


def test_a_run_leaves_its_last_word(watched: str) -> None:
    with get_session(watched, create=False) as session:
        told = telling(told_by_runs(session, [1])[1])
    assert told
    status = told.status
    assert (status.done, status.total, status.left, status.ended) == (3, 3, 0, True)
    assert (status.running, status.in_flight) == (0, 0)
    assert {row.name for row in status.standings} == {*NAMES}
    # Scripted models answer here, through no gate.
    assert status.models == ()
    assert status.turns
    assert status.calls
    assert status.times.latency is not None
    assert status.times.lag is not None
    assert status.at_once is None


def test_a_finished_tournament_shows_its_standings_and_its_configuration(get: Get) -> None:
    page = get("/t/watched").text
    assert "watched is finished: 3 games" in page
    assert "arena resume" not in page
    assert "and did not end in order" not in page
    assert page.count('<svg class="interval" viewBox="0 0 220 20"') == len(NAMES)
    for said in (
        "<bdi>discussion_rounds 1</bdi>", "scripted/mafia-sharp", "<dt>Seed</dt>",
        "<dt>A call takes</dt>", ">Waits here</dt>",
    ):  # fmt: skip
        assert said in page
    assert get("/t/1").text == page


def test_a_tournament_that_stopped_says_what_resumes_it(stopped: str) -> None:
    with browsing(stopped) as get:
        assert "1 stopped before its end" in get("/tournaments").text
        page = get("/t/watched").text
    assert "watched has stopped at 2 of 3 games" in page
    assert "<code><bdi>arena resume watched</bdi></code> plays what is left" in page
    assert re.search(r'href="/game/3"><b>3</b> <small>turn \d+</small>', page)


def test_a_tournament_that_there_is_not_names_the_nearest(get: Get) -> None:
    page = get("/t/wached")
    assert page.status_code == 404
    assert "watched" in page.text
