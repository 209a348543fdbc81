"""The branches of a game on its page, and two games side by side."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from tests.cli.commands import run_arena
from tests.viewer.browser import NAMES, Get, browsing

TURN = 5


@pytest.fixture(scope="module")
def branched(watched: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """The database with branches of game 1, and what the command said of them."""
    path = tmp_path_factory.mktemp("branched") / "branched.db"
    shutil.copy(watched.removeprefix("sqlite:///"), path)
    seat = f"0={NAMES[1]}"
    asked = ("branch", 1, "--turn", TURN, "--set", seat, "--times", 2, "--db", path, "--json")
    result = run_arena(*asked)
    assert result.exit_code == 0, result.stderr
    return f"sqlite:///{path}", json.loads(result.stdout)


@pytest.fixture
def see(branched: tuple[str, dict[str, Any]]) -> Iterator[Get]:
    """The pages of that database."""
    with browsing(branched[0]) as ask:
        yield ask


def points(share: float) -> str:
    return f"{100 * share:+.0f}".replace("-", "−")


def test_the_page_says_of_branches_what_the_command_said(
    see: Get, branched: tuple[str, dict[str, Any]]
) -> None:
    said = branched[1]
    page = see("/game/1").text
    section = page[page.index('<section class="branches"') :]
    section = section[: section.index("</section>")]
    low, high = said["effect_interval"]
    assert f"<b>{points(said['effect'])}</b>" in section
    assert f"{points(low)} to {points(high)}" in section
    for game in said["branches"]:
        assert f'href="/game/1/against/{game}"' in section
    assert NAMES[1] in section
    assert len(re.findall(r'<g class="branched(?: control)?"><title>from turn 5', page)) == 2
    parent = see(f"/game/{said['branches'][0]}").text
    assert f'href="/game/1/against/{said["branches"][0]}"' in parent


def test_branches_are_no_part_of_what_a_player_saw(see: Get) -> None:
    for query in ("?as=0", "?hidden=1"):
        page = see(f"/game/1{query}").text
        assert "against" not in page
        assert "branched" not in page


def test_two_games_part_where_the_command_says(
    see: Get, branched: tuple[str, dict[str, Any]]
) -> None:
    other = branched[1]["branches"][0]
    result = run_arena("diff", 1, other, "--db", branched[0].removeprefix("sqlite:///"), "--json")
    parted = json.loads(result.stdout)["difference"]
    page = see(f"/game/1/against/{other}").text
    assert f"<h1>Games 1 and {other} part at turn {parted['turn_number']}</h1>" in page
    assert f"Game {other} is a branch of game 1 from turn {TURN}." in page
    assert page.count("the first difference") == 1
    at = page.index("the first difference")
    assert f'id="turn-{parted["turn_number"]}"' in page[at - 200 : at]
    marked = re.findall(r"<bdi>([^<]*)<mark>([^<]*)</mark>", page)
    assert [unescape("".join(text)) for text in marked] == [parted["first"], parted["second"]]
    assert len(re.findall(r'class="pair(?: parted)?" id="turn-\d+"', page)) >= parted["turn_number"]


def test_games_that_have_nothing_to_do_with_each_other_say_so(see: Get) -> None:
    page = see("/game/1/against/2").text
    assert "<h1>Games 1 and 2 have nothing to do with each other</h1>" in page
    assert "neither comes from the other" in page


@pytest.mark.parametrize(
    "path", ["/game/1/against/999", "/game/999/against/1", "/game/1/against/1"]
)
def test_a_game_that_is_not_there_has_no_other_side(see: Get, path: str) -> None:
    answer = see(path)
    assert answer.status_code == 404
    assert "game" in answer.text


@pytest.mark.slow
def test_games_of_two_environments_are_not_aligned(tables: str) -> None:
    with browsing(tables) as ask:
        page = ask("/game/1/against/3").text
    assert "One is ConnectFour-v0, the other IteratedPrisonersDilemma-v0." in page
    assert 'id="turn-' not in page


def test_two_branches_of_one_game(see: Get, branched: tuple[str, dict[str, Any]]) -> None:
    one, other = branched[1]["controls"]
    assert "Both are branches of game 1." in see(f"/game/{one}/against/{other}").text
