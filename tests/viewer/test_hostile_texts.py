"""Whatever a model wrote is shown, and acts in no way."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from arena.reports.calls import CallReport, SentMessage
from arena.reports.game import GameReport, PlayerReport, TurnReport
from arena.viewer.game_page import game_page
from arena.viewer.lanes import teams_of
from arena.viewer.seen import Eyes, calls_of, seen
from tests.viewer.browser import browsing, sheet

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)" x="',
    "svg": "</title></svg><svg onload=alert(1)>",
    "template": "{{ 7 * 7 }}{% raw %}",
    "address": "javascript:alert(1)",
    "entity": "&lt;img src=x onerror=alert(1)&gt;",
    "surrogate": "lone \ud800 half",
    "nul": "a\x00b\x1b[2J",
    "bidi": "ab\u202egnp.exe\u2066",
    "long": "x" * 1_000_000,
    "long and strange": "\u202e<" * 500_000,
}


def render(text: str) -> str:
    """Both pages of a game in which everything is this text."""
    call = CallReport(
        text,
        1,
        1,
        [SentMessage(text, text)],
        text,
        text,
        error=text,
        thoughts=text,
        tool_calls=(text,),
        failure=text,
        advice=text,
        request={text: text},
        response=[text],
    )
    turn = TurnReport(
        0, 0, text, text, submitted=text, lapse=text, target=text, how=text, calls=[call]
    )
    report = GameReport(
        1, text, text, 5, "completed", [PlayerReport(0, text, text, text, 0)], [turn],
        winning_team=text, reason=text, error=text, void_cause=text,
    )  # fmt: skip
    shown = seen(report, [], [], Eyes())
    found = calls_of(shown, 0)
    assert found is not None
    answers = [
        sheet("game.html", page=game_page(shown), missing=text),
        sheet("turn.html", game=shown, turn=found[0], calls=found[1],
             seat=shown.seats[0], teams=teams_of(shown), part=None, previous=None, following=None,
             tools=()),
        sheet("error.html", 400, said=text),
    ]  # fmt: skip
    return "".join(bytes(answer.body).decode("utf-8") for answer in answers)


@pytest.fixture(scope="module")
def plain() -> str:
    return render("plain")


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_becomes_markup(plain: str, name: str) -> None:
    html = render(HOSTILE[name])
    for acting in ("<script>alert", "<img", "<svg onload", '" onmouseover="', "\x00", "\x1b"):
        assert acting not in html
    assert not any(char in html for char in "\u202e\u2066")
    assert "49" not in html or name != "template"
    # A tag more than in the page of a plain text would be one that the text made.
    assert html.count("<script") == plain.count("<script")


def test_long_texts_are_folded_and_cut() -> None:
    html = render(HOSTILE["long"])
    assert "more characters</summary>" in html
    assert "more are not in this page" in html
    assert len(html) < 3_000_000


def test_names_that_are_markup_are_names(watched: str, tmp_path: Path) -> None:
    file = tmp_path / "hostile.db"
    shutil.copyfile(watched.removeprefix("sqlite:///"), file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE agents SET alias = '<b>\u202e\"' || id")
        connection.execute("UPDATE tournaments SET name = '<img src=x onerror=alert(1)>'")
        connection.commit()
    with browsing(f"sqlite:///{file}") as get:
        for path in ("/games", "/game/1", "/game/1?hidden=1", "/game/1/turn/0"):
            answer = get(path)
            assert answer.status_code == 200
            assert "<b>\\" not in answer.text
            assert "\u202e" not in answer.text
            assert "<img" not in answer.text
            assert "&lt;b&gt;\\u202e" in answer.text


def test_a_player_without_a_turn_sees_nothing() -> None:
    report = GameReport(
        1, "Game", None, 5, "completed",
        [PlayerReport(0, "A"), PlayerReport(1, "B")], [TurnReport(0, 0, "secret", "secret")],
    )  # fmt: skip
    shown = seen(replace(report), [], [], Eyes(1))
    assert not shown.turns
    html = bytes(sheet("game.html", page=game_page(shown), missing=None).body).decode()
    assert "secret" not in html
    assert "Nothing of this game was seen from here" in html
