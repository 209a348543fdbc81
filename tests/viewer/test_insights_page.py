"""The page of findings: what stands out, how sure that is, where to look, what was not found."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import pytest

from arena.reports.insights import insights
from arena.viewer.boards import Computed
from arena.viewer.insights_page import insights_page
from db import get_session
from tests.cli.commands import run_arena
from tests.reports.planted import planted
from tests.viewer.browser import Get, browsing, sheet


@pytest.fixture(scope="module")
def stood_out(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Games in which something differs."""
    url = f"sqlite:///{tmp_path_factory.mktemp('stood') / 'planted.db'}"
    planted(url)
    return url


def opened(get: Get, path: str) -> str:
    """The page when it has been computed, which it is beside it."""
    for _ in range(600):
        page = get(path).text
        if "The games are being read" not in page:
            return page
        assert 'http-equiv="refresh"' in page
        time.sleep(0.05)
    raise AssertionError(page)


@pytest.mark.slow
def test_findings_with_their_size_evidence_and_query(stood_out: str) -> None:
    with browsing(stood_out) as get:
        page = opened(get, "/insights")
        assert "<h1>8 things stand out</h1>" in page
        assert "tested together: of what is found here, at most 5 % is chance" in page
        assert page.count('<circle class="dot"') == 8
        assert "Votes against one&#39;s own words, by agent" in page
        assert "Looked for and not found" not in page
        assert "Not asked" in page
        assert "WITH these AS" in page
        assert "As of game 60" in page
        turn = re.search(r'class="places"><a href="(/game/\d+/turn/\d+)"', page)
        assert turn
        assert get(turn[1]).status_code == 200
        for address in re.findall(r'<a href="(/calls\?[^"]+|/games\?[^"]+)"', page):
            assert get(address.replace("&amp;", "&")).status_code == 200, address
        assert get("/insights?tournament=nothing").status_code == 400


def test_a_few_games_are_too_few(get: Get) -> None:
    page = opened(get, "/insights")
    assert "There is too little to compare yet" in page
    assert "needs 20 games on each side; found 3 games" in page


def test_what_was_not_found_is_said(stood_out: str) -> None:
    with get_session(stood_out) as session:
        report = insights(session)
    first = report.findings[0]
    none = replace(
        report,
        findings=(),
        questions=tuple(
            replace(one, found=0, largest=replace(first, label="agent-7", low=-0.1))
            for one in report.questions
        ),
    )
    drawn = insights_page(none)
    assert drawn.conclusion == "Nothing stands out"
    answer = sheet(
        "insights.html", asked={}, filters=(), answer=Computed(none), report=none, page=drawn,
        command="arena insights",
    )  # fmt: skip
    html = bytes(answer.body).decode()
    assert "Looked for and not found" in html
    assert "<bdi>agent-7</bdi>: " in html


def test_names_are_never_markup(stood_out: str) -> None:
    with get_session(stood_out) as session:
        report = insights(session)
    nasty = "<script>alert(1)</script>\u202e"
    hostile = replace(
        report,
        findings=tuple(
            replace(one, label=nasty, sentence=nasty, filter={"agent": nasty})
            for one in report.findings
        ),
        questions=tuple(
            replace(one, title=nasty, why=nasty, sql=nasty,
                    largest=one.largest and replace(one.largest, label=nasty))
            for one in report.questions
        ),
    )  # fmt: skip
    answer = sheet(
        "insights.html", asked={}, filters=(), answer=Computed(hostile), report=hostile,
        page=insights_page(hostile), command=nasty,
    )  # fmt: skip
    html = bytes(answer.body).decode()
    assert "<script>alert" not in html
    assert "\u202e" not in html


def test_the_command_says_the_same(stood_out: str) -> None:
    file = stood_out.removeprefix("sqlite:///")
    said = run_arena("insights", "--db", file)
    assert said.exit_code == 0, said.stderr
    assert "8 findings among" in said.stderr
    assert "too few to ask: " in said.stderr
    told = json.loads(run_arena("insights", "--db", file, "--json").stdout)
    assert len(told["findings"]) == 8
    with get_session(stood_out) as session:
        assert told["findings"][0]["sentence"] == insights(session).findings[0].sentence
    sql = run_arena("insights", "--db", file, "--sql", "seats").stdout
    assert sql.startswith("WITH these AS")
    assert run_arena("insights", "--db", file, "--sql", "nothing").exit_code == 2


def test_the_command_lists_failed_calls(stood_out: str) -> None:
    file = stood_out.removeprefix("sqlite:///")
    said = run_arena("calls", "--db", file, "--limit", "3")
    assert said.stdout.count("Timeout") == 3
    assert "--before" in said.stderr
    told = json.loads(run_arena("calls", "--db", file, "--failed", "Timeout", "--json").stdout)
    assert {call["error_class"] for call in told["calls"]} == {"Timeout"}
    assert told["calls"][0]["failure"] == "timeout"
    assert told["calls"][0]["command"].startswith("arena show ")
    assert run_arena("calls", "--db", file, "--failed", "Nothing").exit_code == 2
