"""The leaderboard, head to head, a comparison and costs, over games that were really played."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.meetings import meetings
from arena.reports.cost import cost_report
from arena.viewer.boards import BoardWorker
from arena.viewer.links import ServerLinks
from arena.viewer.pages.leaderboard import leaderboard
from arena.viewer.templating import environment
from arena.viewer.visit import Visit
from db import Database, get_session
from db.models import Environment
from db.queries.call_costs import FIRST, FURTHER
from db.queries.games import games
from db.selection import Selection
from tests.cli.commands import run_arena
from tests.viewer.browser import NAMES, Get, browsing


@pytest.fixture(scope="module")
def board(boarded: str) -> Iterator[Get]:
    with browsing(boarded) as get:
        yield get


def there(get: Get, path: str) -> httpx.Response:
    """A page, once what it waits for is computed."""
    for _ in range(300):
        page = get(path)
        if 'http-equiv="refresh"' not in page.text:
            return page
        time.sleep(0.1)
    raise AssertionError(f"{path} is never there")


def hrefs(page: httpx.Response, path: str) -> list[str]:
    """The links of a page that begin so."""
    found = re.findall(r'href="([^"]+)"', page.text)
    return [link.replace("&amp;", "&") for link in found if link.startswith(path)]


def test_the_board_says_rank_rating_groups_games_and_errors_in_this_order(board: Get) -> None:
    text = board("/").text
    head = text[text.index("<thead>") : text.index("</thead>")]
    said = ["#", "Could be", "Agent", "Rating", "Alike", "Games", "Won", "Won as", "$/game",
            "Tokens/turn", "s/turn", "Own errors", "Void"]  # fmt: skip
    places = [head.index(f">{word}") for word in said]
    assert places == sorted(places)
    assert text.index("<table") < text.index("Head to head</a></h2>") < text.index("Newest games")
    assert text.count('<line class="middle"') == len(NAMES) + 1
    assert "As of game 3." in text


def test_every_menu_of_the_scope_leads_to_a_board(board: Get) -> None:
    page = board("/")
    for label in ("Role", "Rows", "Rated by", "Since"):
        assert f'<span class="of">{label}</span>' in page.text
    asked = {link.partition("?")[2].partition("=")[0] for link in hrefs(page, "/?")}
    assert asked == {"team", "role", "by", "system", "since", "errors"}
    for path in ("/?team=Mafia", "/?role=Doctor", "/?by=prompt", "/?errors=decided"):
        assert path in hrefs(page, "/?"), path
        found = there(board, path)
        assert found.status_code == 200, path
        assert "<table" in found.text, path
    # A part of a question that does not go with another is left out of its link.
    assert "/?team=Mafia" in hrefs(there(board, "/?by=model"), "/?")


def test_environments_of_one_name_are_told_apart_by_their_rules(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'rules.db'}"
    with get_session(url) as session:
        for number, options in enumerate(({"turn_limit": 9}, {"turn_limit": 9, "rounds": 1})):
            session.add(
                Environment(
                    name="Talk-v0", num_players=6, options=options, package="talk", version="1",
                    fingerprint=f"{number}",
                )
            )  # fmt: skip
    with browsing(url) as get:
        text = get("/").text
        assert "Talk-v0 (rounds: default)" in text
        assert "Talk-v0 (rounds: 1)" in text
        assert "turn_limit" not in text
        assert "/?environment=2" in hrefs(get("/"), "/?")


def test_a_scope_without_games_says_so(board: Get) -> None:
    page = there(board, "/?since=2100-01-01")
    assert "No agent is rated yet" in page.text
    assert "No finished game fits" in page.text
    assert board("/?system=nonsense").status_code == 400


def test_the_matrix_says_what_the_command_says_and_leads_to_its_games(
    boarded: str, board: Get
) -> None:
    with get_session(boarded, create=False) as session:
        (meeting,) = meetings(session, LeaderboardQuery())
        page = there(board, "/head-to-head")
        for (row, column), cell in meeting.matrix.cells.items():
            low, high = (f"{100 * edge:.0f}" for edge in cell.interval)
            told = f"{100 * cell.score:.0f} %, {low} to {high} in {cell.games} game"
            path = f"/games?environment=1&agent={row}&against={column}"
            assert f'href="{path}" title="{told}'.replace("&", "&amp;") in page.text
            met = games(session, Selection(agent=row, against=column))
            assert len(met) == cell.games
            listed = re.findall(r'class="n"><a href="/game/(\d+)"', board(path).text)
            assert [int(number) for number in listed] == [game.game_id for game in met]


def test_the_matrix_by_role_and_its_orders(board: Get) -> None:
    by_role = there(board, "/head-to-head?by=role")
    assert '<th scope="col"><bdi>Doctor</bdi></th>' in by_role.text
    by_name = there(board, "/head-to-head?order=name")
    rows = re.findall(r'<th scope="row">.*?<bdi>(.*?)</bdi>', by_name.text)
    assert rows == sorted(NAMES)
    assert board("/head-to-head?by=colour").status_code == 400
    assert board("/head-to-head?order=luck").status_code == 400
    assert board("/head-to-head?from=99").status_code == 404


def test_one_agent_against_each_that_it_met(boarded: str, board: Get) -> None:
    with get_session(boarded, create=False) as session:
        (meeting,) = meetings(session, LeaderboardQuery())
    page = there(board, "/head-to-head?agent=Aardvark")
    (agent,) = (key for key, name in meeting.names.items() if name == "Aardvark")
    cells = {column: cell for (row, column), cell in meeting.matrix.cells.items() if row == agent}
    assert len(hrefs(page, f"/compare/{agent}/")) == len(cells) > 0
    for column, cell in cells.items():
        assert f"/compare/{agent}/{column}" in hrefs(page, "/compare/")
        assert f"{100 * cell.score:.0f} %" in page.text


def test_agents_that_cannot_be_compared_say_why_and_what_to_type(board: Get) -> None:
    page = there(board, "/compare/Aardvark/Basilisk")
    assert "cannot be compared yet" in page.text
    assert "arena compare 1 2" in page.text
    same = board("/compare/1/1")
    assert same.status_code == 400
    assert "itself" in same.text
    assert board("/compare/1/Nobody").status_code == 404
    assert board("/compare/1/2?h0=much").status_code == 400
    assert board("/compare/1/2?tournament=watched").status_code == 400


def test_costs_are_against_the_rating_and_by_model_phase_and_purpose(board: Get) -> None:
    page = there(board, "/cost")
    assert page.status_code == 200
    for part in ("By model", "By phase of the game", "By what the call was for", "By agent"):
        assert f"<h2>{part}</h2>" in page.text
    for part in ("Day-Voting", "Night-Mafia", "a turn&#39;s first question", "further questions"):
        assert part in page.text
    # Scripted models have no price: tokens stand for it.
    assert "Nothing here has a price" in page.text
    assert page.text.count('<line class="span"') == len(NAMES)


def test_costs_add_up_to_the_calls_on_record(boarded: str) -> None:
    with get_session(boarded, create=False) as session:
        report = cost_report(session, Selection())
        calls, sent, got, further = session.connection().exec_driver_sql(
            "SELECT COUNT(*), SUM(prompt_tokens), SUM(response_tokens), "
            "SUM(CASE WHEN call_number > 0 THEN 1 ELSE 0 END) FROM llm_calls"
        ).one()  # fmt: skip
        nights = (
            session.connection()
            .exec_driver_sql(
                "SELECT COUNT(*) FROM game_turns t JOIN game_events e ON e.game_id = t.game_id "
                "AND e.turn = t.turn_number AND e.kind IN (SELECT id FROM event_types WHERE name = "
                "'kill_choice')"
            )
            .scalar()
        )
    assert (report.calls, report.tokens) == (calls, sent + got)
    for parts in (report.sampled.phases, report.sampled.purposes):
        assert sum(part.calls for part in parts) == calls
        assert sum(part.tokens for part in parts) == sent + got
    purposes = {part.name: part.calls for part in report.sampled.purposes}
    assert purposes == {FIRST: calls - further, FURTHER: further}
    phases = {part.name: part.calls for part in report.sampled.phases}
    assert phases["Night-Mafia"] >= nights > 0
    assert sum(row.games for row in report.agents) == len(NAMES) * 3


def test_a_board_that_cannot_be_stored_says_so_and_how_to_go_on(watched: str) -> None:
    query = {"by": "kind", "until": "2000-01-01"}
    with (
        Database(watched, read_only=True) as database,
        closing(BoardWorker(database)) as worker,
        database.session(create=False) as session,
    ):
        visit = Visit(session, environment(), ServerLinks(), query=query, worker=worker)
        for _ in range(300):
            page = bytes(leaderboard(visit).body).decode()
            if "is being computed" not in page:
                break
            time.sleep(0.05)
    assert "The board could not be computed" in page
    assert "not authorized; the traceback is in the terminal of `arena view`" in page
    assert '<a href="/?until=2000-01-01&amp;by=kind">Try again</a>' in page
    assert "Newest games" in page


def test_hostile_names_are_names_on_every_board(boarded: str, tmp_path: Path) -> None:
    file = tmp_path / "hostile.db"
    shutil.copyfile(boarded.removeprefix("sqlite:///"), file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE agents SET alias = '<b>\u202e\"' || id")
        connection.execute("UPDATE tournaments SET name = '<img src=x onerror=alert(1)>'")
        connection.execute("UPDATE environments SET name = '</svg><script>alert(1)</script>'")
        connection.execute("UPDATE models SET name = '<i>' || id")
        connection.commit()
    with browsing(f"sqlite:///{file}") as get:
        for path in ("/", "/head-to-head", "/head-to-head?agent=1", "/compare/1/2", "/cost"):
            answer = there(get, path)
            assert answer.status_code == 200, path
            for acting in ("<b>\\", "\u202e", "<img", "<script>alert", "<i>", "</svg><script"):
                assert acting not in answer.text, (path, acting)


@pytest.mark.slow
def test_a_comparison_that_was_played_is_drawn_against_its_bounds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'duel.db'}"
    (tmp_path / "two.yaml").write_text(DUEL)
    assert run_arena("run", tmp_path / "two.yaml", "--db", url).exit_code == 0
    asked = run_arena("compare", "First", "Second", "--h0", "0.2", "--h1", "0.9", "--db", url)
    assert asked.exit_code == 0, asked.stderr
    sentence = asked.stdout.splitlines()[4].removesuffix(".")
    with browsing(url) as get:
        page = there(get, "/compare/First/Second")
        on_games = there(get, "/compare/First/Second?played=1")
        turned = there(get, "/compare/Second/First")
    assert f"<h1><bdi>{sentence}</bdi></h1>" in page.text
    assert "Log likelihood ratio" in page.text
    assert page.text.count('<line class="bound upper"') == 1
    assert page.text.count('<line class="bound lower"') == 1
    assert "played for it: gsprt, finished" in page.text
    assert "Log of the e-value" in on_games.text
    assert turned.status_code == 200


DUEL = """
name: two
seed: 5
environment: {name: KuhnPoker-v0-mended, players: 2}
games: 2
matchmaker: {name: random}
models:
  - {name: random, litellm_model: scripted/random}
prompts:
  - {name: plain, text: "You are player {{player_index}} of {{num_players}}."}
agents:
  - {name: First, model: random, prompt: plain}
  - {name: Second, model: random, prompt: plain, kind: remembering}
"""
