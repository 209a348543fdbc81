"""The pages of a scenario's games: scenes, values, verdict, points, and what only one was told."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.hostile import play_three
from tests.viewer.browser import Get, browsing


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return play_three(tmp_path_factory.mktemp("scenarios"))


@pytest.fixture
def get(played: Path) -> Iterator[Get]:
    with browsing(f"sqlite:///{played}") as found:
        yield found


def part(page: str) -> str:
    """The text of the scenario's part of a page, without markup."""
    (section,) = re.findall(r'<section class="plugin">(.*?)</section>', page, re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", section)).split()).replace(" ,", ",")


def test_scenes_and_values_are_drawn_with_how_far_they_came(get: Get) -> None:
    said = part(get("/game/1").text)

    assert "1 of 2 First offers Mara Voss, Jonas Falk 2 of 2 Each party has made" in said
    assert "2 of 2 Bargaining Mara Voss, Jonas Falk 8 of 12" in said
    assert "reached" in said
    assert re.search(r"rent a whole number from 30 to 60 .* 42 by agreement", said)
    assert "Mara Voss 9.6 0 to 12 rent +3.6" in said


def test_a_verdict_is_drawn_by_field_and_points_by_what_they_were_for(get: Get) -> None:
    said = part(get("/game/2").text)

    assert "verdict guilty prosecution 10 defence 10 reasons Who spoke of what" in said
    assert "scene_2 goal of Evidence yes" in said
    assert "Prosecution 16 0 to 16 the verdict's verdict +5 · the verdict's prosecution +10" in said


def test_what_only_one_was_told_is_marked_and_shown_to_nobody_else(get: Get) -> None:
    lent = "Lena Ortiz lent her key card"
    said = part(get("/game/2").text)
    assert f"Defence told to this player alone {lent}" in said

    own = part(get("/game/2?as=1").text)
    assert f"told to you alone {lent}" in own
    assert "16" not in own, "nobody was told of points"
    for other in ("/game/2?as=0", "/game/2?hidden=1", "/game/2?blind=1"):
        page = get(other).text
        assert lent not in page
        assert "Scenes" in part(page)
        assert "guilty prosecution" not in part(page)


def test_a_narrator_does_not_look_like_the_rules(get: Get) -> None:
    for view in ("", "?hidden=1", "?as=0"):
        page = get(f"/game/1{view}").text
        told = re.findall(r'<div class="narrated"><small>Narrator</small> (.*?)</div>', page)
        assert any("sit down in the empty warehouse" in each for each in told)
        assert "Scene 2 of 2: Bargaining" in page, "said to all"
        assert not any("Scene 2 of 2" in each for each in told)


def test_texts_of_a_scenario_are_harmless(get: Get) -> None:
    page = get("/game/3").text

    for raw in ("<script>alert", "<b>Ada", "<em>Words", "<img", "<i>win", "<u>sell", "<h1>*"):
        assert raw not in page
    said = part(page)
    assert "1 of 1 <em>Words</em> <b>Ada</b>, Ben 2 of 2 <q>Talk</q>" in said
    assert "said '<h1>*' +0 hidden from all" in said
    assert "hidden from all" not in part(get("/game/3?as=1").text)


def test_the_pages_of_tournament_and_agent_tell_personas_as_roles(get: Get) -> None:
    assert "Jonas Falk" in get("/t/negotiation").text
    agent = get("/agent/1").text
    assert "By role and team" in agent
    assert "as <bdi>Jonas Falk</bdi>" in agent
