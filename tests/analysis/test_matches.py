"""A match from Python, and what a notebook shows of games, boards and comparisons."""

import asyncio
from html.parser import HTMLParser

import pytest

import arena
from arena.analysis import game
from arena.analysis.matches import match
from arena.core import ArenaError, UsageError
from arena.leaderboard import LeaderboardQuery, boards
from arena.reports.html import table
from db import get_session

HOSTILE = "<script>alert(1)</script><img src=x onerror=y>\x1b[31m\u202e&quot;\ud800"
ONE = {"name": "One", "model": "scripted/random", "prompt": "Win."}
OTHER = {"name": "Other", "model": "scripted/random", "prompt": "Win, too."}
TAGS = {
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "p", "small"),
    *("details", "summary"),
}


class Read(HTMLParser):
    """The tags and texts of a page; fails for an attribute, which none has."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts = set(), []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        assert attrs == []
        self.tags.add(tag)

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.slow
def test_a_match_is_played_where_an_event_loop_runs_and_never_twice(tmp_path):
    source = tmp_path / "arena.db"

    async def cell():
        return arena.match(ONE, OTHER, environment="TicTacToe-v0", games=4, source=source)

    played = asyncio.run(cell())

    assert (played.a, played.b, len(played)) == ("One", "Other", 4)
    assert [each.status for each in played] == ["completed"] * 4
    assert all(each.turns for each in played)
    # In blocks of two the seats are swapped on one seed.
    seats = [[player.agent for player in each.players] for each in played]
    assert seats[0] == seats[1][::-1]
    assert played[0].seed == played[1].seed
    points = [0.5 if each.drawn else float("One" in (each.winner() or "")) for each in played]
    assert played.score == sum(points) / 4
    again = match("One", "Other", environment="TicTacToe-v0", games=4, source=source)
    assert [each.game for each in again] == [each.game for each in played]
    assert again.tournament == played.tournament
    assert "One against Other: score" in "".join(Read(played._repr_html_()).texts)
    assert game(played[1].game, source) == played[1]
    with pytest.raises(UsageError, match="there is no game 99"):
        game(99, source)


@pytest.mark.slow
def test_a_match_in_a_field_counts_whose_team_finishes_first(tmp_path):
    field = [{**ONE, "name": f"Filler {place}"} for place in range(4)]

    played = arena.match(
        ONE,
        OTHER,
        environment="SecretMafia-v0-mended",
        players=6,
        field=field,
        games=4,
        source=tmp_path / "arena.db",
    )

    points = []
    for each in played:
        team = {player.agent: player.team for player in each.players}
        assert len(team) == 6
        assert team["One"] != team["Other"]
        points.append(float(each.winning_team == team["One"]))
    assert sum(points) > 0
    assert played.score == sum(points) / 4


def test_what_makes_no_match_is_refused_before_anything_is_written(tmp_path):
    source = tmp_path / "arena.db"
    for wrong, said in (
        ({"games": 3}, "games is 3: expected an even number"),
        ({"environment": "TicTacTo-v0"}, "TicTacToe-v0"),
        ({"a": {"name": "X", "model": "scripted/random"}}, "the agent 'X' has no prompt"),
        ({"a": "Nobody"}, "unknown agent 'Nobody'"),
    ):
        asked = {"a": ONE, "b": OTHER, "environment": "TicTacToe-v0", "source": source, **wrong}
        with pytest.raises(ArenaError, match=said):
            match(asked.pop("a"), asked.pop("b"), **asked)
    with get_session(source) as session:
        assert session.connection().exec_driver_sql("SELECT COUNT(*) FROM games").scalar() == 0
        assert session.connection().exec_driver_sql("SELECT COUNT(*) FROM agents").scalar() == 0


def test_nothing_hostile_is_obeyed_or_hides_the_rest():
    read = Read(table(("name",), [[HOSTILE], ["x" * 100_000]], caption=HOSTILE, notes=[HOSTILE]))

    assert read.tags <= TAGS
    texts = "".join(read.texts)
    assert "\x1b" not in texts
    assert "\u202e" not in texts
    assert "<script>alert(1)</script>" in texts
    assert "98,000 more characters" in texts
    texts.encode("utf-8")


def test_games_and_boards_are_tables(sqlite):
    shown = Read(game(6, sqlite)._repr_html_())
    assert shown.tags <= TAGS
    assert "game 6: Duel-v0, completed" in shown.texts
    assert "\x1b" not in "".join(shown.texts)
    with get_session(sqlite) as session:
        board = boards(session, LeaderboardQuery())[0]
    rows = Read(board._repr_html_())
    assert rows.tags <= TAGS
    assert [row.name for row in board.rows if row.name in rows.texts] == [
        row.name for row in board.rows
    ]
