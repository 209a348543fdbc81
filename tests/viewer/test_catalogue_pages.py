"""The pages of agents, prompts and models over games that were really played."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.commands import run_arena
from tests.viewer.browser import NAMES, TOURNAMENT, browsing


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tournament in which the prompt calm is a fork of plain, with its boards."""
    folder = tmp_path_factory.mktemp("forked")
    text = TOURNAMENT.replace("name: calm,", "name: calm, forked_from: plain,")
    (folder / "forked.yaml").write_text(text)
    url = f"sqlite:///{folder / 'forked.db'}"
    for asked in (
        ("run", folder / "forked.yaml"),
        ("leaderboard",),
        ("leaderboard", "--by", "prompt"),
        ("leaderboard", "--by", "model"),
        ("leaderboard", "--team", "Mafia"),
    ):
        result = run_arena(*asked, "--db", url)
        assert result.exit_code == 0, result.stderr
    return url


def test_an_agent_is_found_by_its_number_its_name_and_the_nearest_name(boarded: str) -> None:
    with browsing(boarded) as get:
        by_number, by_name = get("/agent/1"), get(f"/agent/{NAMES[0]}")
        wrong = get("/agent/Aardvork")
        for path in ("/agent/99", "/agent/", "/model/none", "/prompt/" + "x" * 5000):
            assert get(path).status_code == 404, path
    assert by_number.status_code == by_name.status_code == 200
    assert by_number.text == by_name.text
    assert wrong.status_code == 404
    assert f"did you mean &#39;{NAMES[0]}&#39;?" in wrong.text


def test_an_agent_says_its_rank_roles_opponents_words_and_cost(boarded: str) -> None:
    with browsing(boarded) as get:
        page = get("/agent/1").text
    heading = re.search(r"<h1><bdi>(.*?)</bdi></h1>", page)
    assert heading
    assert re.fullmatch(rf"{NAMES[0]} is \d\w\w of 6(, but could be .*)?", heading[1])
    for part in ("Rating over games", "By role and team", "Against whom", "Votes and words",
                 "Errors", "Sessions", "Parts", "Cost", "Newest games"):  # fmt: skip
        assert f"<h2>{part}</h2>" in page, part
    assert '<polyline class="rated"' in page
    for name in NAMES[1:]:
        assert f"<bdi>{name}</bdi></a></th>" in page
    assert 'href="/games?agent=1&amp;against=2"' in page
    assert 'href="/game/3"' in page
    assert "None: no action was refused" in page


@pytest.mark.slow
def test_a_rating_in_a_team_is_shown_where_somebody_has_asked_for_it(forked: str) -> None:
    with browsing(forked) as get:
        pages = [get(f"/agent/{number}").text for number in range(1, 7)]
        board = get("/?team=Mafia").text
    rated = [page for page in pages if "Rating as it" in page]
    assert rated
    assert all('<a href="/?team=Mafia">' in page for page in rated)
    for page in rated:
        shown = re.search(r'<b>([\d.]+)</b> <small>[\d.]+ to [\d.]+</small></td>\s*<td class="n">'
                          r'<a href="/\?team=Mafia">\d of \d</a>', page)  # fmt: skip
        assert shown
        assert f"<b>{shown[1]}</b>" in board
    # Nobody has asked for the other team.
    assert any('<a href="/?team=Village">' in page for page in pages)


def test_agents_are_listed_best_first_and_by_their_parts(boarded: str) -> None:
    with browsing(boarded) as get:
        page, sharp = get("/agents").text, get("/agents?model=sharp").text
        assert get("/agents?model=shrap").status_code == 400
    assert "<h1>6 agents</h1>" in page
    assert [*re.findall(r'<td class="n quiet">(\d)', page)] == [*"123456"]
    shown = [*re.findall(r'href="/agent/\d+"><bdi class="name">(\w+)<', sharp)]
    assert sorted(shown) == [NAMES[0], NAMES[2], NAMES[4]]


def test_a_model_says_who_answered_and_what_it_took(forked: str) -> None:
    with browsing(forked) as get:
        models, page = get("/models").text, get("/model/sharp").text
    assert re.search(r"<h1><bdi>(No model clearly adds the most|\w+ adds the most)", models)
    assert "scripted/mafia-sharp" in models
    assert re.search(r"<h1><bdi>sharp is (1st|2nd) of 2", page)
    assert "<bdi>mafia-sharp</bdi></th>" in page
    assert "No call failed." in page
    for part in ("Who answered", "Over time", "Settings", "Latency of a call", "Cost"):
        assert f"<h2>{part}</h2>" in page, part


def test_the_tree_of_prompts_says_what_a_fork_changed_and_what_that_did(forked: str) -> None:
    with browsing(forked) as get:
        tree, page, plain = (get(path).text for path in ("/prompts", "/prompt/2", "/prompt/plain"))
    said = "No fork is clearly better or worse than the prompt it came from"
    assert f"<h1><bdi>{said}</bdi></h1>" in tree
    assert tree.index(">plain<") < tree.index(">calm<")
    assert "<del><bdi>of {{num_players}}</bdi></del>" in tree
    assert "<ins><bdi>Stay calm.</bdi></ins>" in tree
    assert "<h1><bdi>calm is not clearly better or worse than plain</bdi></h1>" in page
    assert "<del> of {{num_players}}</del>" in page
    assert "<ins> Stay calm.</ins>" in page
    assert "2 words added, 2 removed" in page
    assert "You are player {{player_index}} of {{num_players}}." in plain
    assert "<code>num_players</code>" in plain
    assert "how many players the game has" in plain
    assert 'href="/prompt/2"' in plain


def test_without_a_stored_board_a_page_says_that_it_is_computed(
    watched: str, tmp_path: Path
) -> None:
    file = tmp_path / "bare.db"
    shutil.copyfile(watched.removeprefix("sqlite:///"), file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM stored_boards")
    assert run_arena("leaderboard", "--by", "prompt", "--db", file).exit_code == 0
    with browsing(f"sqlite:///{file}") as get:
        models, prompts = get("/models"), get("/prompts")
    assert "are being computed. This page reloads by itself" in models.text
    assert 'http-equiv="refresh"' in models.text
    assert 'http-equiv="refresh"' not in prompts.text


def test_an_empty_catalogue_says_what_to_type(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    assert run_arena("init", tmp_path / "here", "--db", url).exit_code in (0, 2)
    assert run_arena("db", "upgrade", "--db", url).exit_code == 0
    with browsing(url) as get:
        for noun in ("agent", "prompt", "model"):
            page = get(f"/{noun}s")
            assert page.status_code == 200
            assert f"No {noun} yet" in page.text
            assert f"<code>arena {noun}s add" in page.text
