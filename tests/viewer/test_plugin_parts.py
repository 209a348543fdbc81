"""A package's own part of the page of its games: seen by the same eyes, and as harmless as ours."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from arena.reports.game import GameReport, PlayerReport, TurnReport
from arena.viewer.game_page import game_page
from arena.viewer.seen import Eyes, seen
from tests.strangers import Install, install
from tests.viewer.browser import sheet

__all__ = ["install"]

GAME = GameReport(
    1, "Stranger-v0", None, 5, "completed",
    [PlayerReport(0, "<b>Ann</b>", role="Spy"), PlayerReport(1, "Bob", role="Fool")],
    [TurnReport(0, 0, "", "<script>alert(1)</script>"), TurnReport(1, 1, "", "hidden words")],
)  # fmt: skip

Draw = Callable[[str, Eyes], str]


@pytest.fixture
def draw(install: Install) -> Draw:
    """The page of the game with a template of a stranger's package."""

    def page(template: str, eyes: Eyes) -> str:
        source = f"def template():\n    return {template!r}\n"
        install(source, {"pages": {"Stranger-v0": "template"}})
        shown = game_page(seen(GAME, [], [], eyes))
        return bytes(sheet("game.html", page=shown, missing=None).body).decode()

    return page


LISTING = """<ul>{% for s in game.seats %}
<li class="{{ s.name }}">{{ s.name }}: {{ s.role }}</li>
{% endfor %}</ul>"""
WORDS = "{% for t in game.turns %}<p>{{ t.words }}</p>{% endfor %}"


def test_a_template_is_drawn_in_the_page_and_what_it_prints_is_escaped(draw: Draw) -> None:
    page = draw(LISTING + WORDS, Eyes())
    part = page[page.index('<section class="plugin">') :]
    assert '<li class="&lt;b&gt;Ann&lt;/b&gt;">&lt;b&gt;Ann&lt;/b&gt;: Spy</li>' in part
    assert "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>" in part
    assert "<script>alert" not in page


def test_it_sees_what_the_player_saw(draw: Draw) -> None:
    page = draw(LISTING + WORDS, Eyes(0))
    assert "Spy" in page
    assert "Fool" not in page
    assert "Bob" not in page
    assert "hidden words" not in page


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("<script>alert(1)</script>", "may not hold"),
        ("<p onclick='x'>x</p>", "may not hold"),
        ('<a href="https://elsewhere">x</a>', "may not hold"),
        ("<p style='color: red'>x</p>", "may not hold"),
        ("{{ game.seats[0].name | safe }}", "No filter named"),
        ("{% autoescape false %}{{ game.seats[0].name }}{% endautoescape %}", "escaping"),
        ("<p class={{ game.seats[0].name }}>x</p>", "is quoted"),
        ("{{ game.__class__.__mro__ }}", "unsafe"),
        ("{{ nothing }}", "undefined"),
        ("{% for n in range(99999) %}{{ n }}{% endfor %}", "characters"),
        ("{% if %}", "Expected an expression"),
    ],
)
def test_a_template_that_may_not_be_drawn_is_named_and_the_page_is_there(
    draw: Draw, template: str, said: str
) -> None:
    page = draw(template, Eyes())
    assert '<section class="plugin">' not in page
    notice = page[page.index('<p class="notice">') :]
    notice = notice[: notice.index("</p>")]
    assert said in notice
    assert "stranger 1.2" in notice
    assert "hidden words" in page
