"""The page of findings: what stands out, how sure that is, where to look, what was not found."""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from arena.reports.insights import insights
from arena.reports.suggestions import (
    SuggestionChange,
    SuggestionEffect,
    SuggestionReport,
    suggestion_key,
)
from arena.viewer.boards import Computed
from arena.viewer.insights_page import insights_page
from arena.viewer.suggestions_part import suggestions_part
from db import get_session
from db.selection import Selection
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
        command="arena insights", kept=suggestions_part((), none, Selection()),
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
    now = datetime.now(UTC)
    first = hostile.findings[0]
    effect = SuggestionEffect(
        nasty, now, nasty, nasty, nasty, nasty, 2, 0.5, 0.4, 0.6, 10, True, nasty
    )
    nasty_kept = SuggestionReport(
        1, suggestion_key(first, Selection()), "accepted", nasty, nasty, 0.1,
        {"label": nasty, "scope": {}}, (SuggestionChange(now, nasty, "open", "accepted", nasty),),
        (effect,), now, now,
    )  # fmt: skip
    answer = sheet(
        "insights.html", asked={}, filters=(), answer=Computed(hostile), report=hostile,
        page=insights_page(hostile), command=nasty,
        kept=suggestions_part([nasty_kept], hostile, Selection()),
    )  # fmt: skip
    html = bytes(answer.body).decode()
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert html.count('href="#suggestion-1"') == 1


def test_what_was_kept_is_beside_its_finding(stood_out: str, tmp_path: Path) -> None:
    db = tmp_path / "kept.db"
    shutil.copyfile(stood_out.removeprefix("sqlite:///"), db)
    with browsing(f"sqlite:///{db}") as get:
        page = opened(get, "/insights")
        assert "<code>arena insights --save</code>" in page
        assert 'id="suggestions"' not in page
        assert run_arena("insights", "--save", "--db", db).exit_code == 0
        done = run_arena(
            "suggestions", "edit", "1", "--status", "accepted", "--as", "Ann",
            "--reason", "Try it.", "--db", db,
        )  # fmt: skip
        assert done.exit_code == 0
        page = opened(get, "/insights")
        assert page.count('href="#suggestion-') == page.count('<tr id="suggestion-') == 8
        assert '<a class="tag" href="#suggestion-1">accepted</a>' in page
        assert "<bdi>Ann</bdi>" in page
        assert "<bdi>Try it.</bdi>" in page
        # Of some games nothing is told that was found in others.
        other = opened(get, "/insights?tournament=cup")
        assert "suggestion-" not in other
        assert "arena insights --tournament cup --save" in other


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
