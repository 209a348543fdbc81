"""The pages as files: whole, small, in one piece, and with nothing in a player's file that it did
not see."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from arena.reports.game import game_report
from arena.viewer.static_copy import write_copy
from db import get_session
from db.queries.events import events
from db.queries.games import game
from db.queries.transcript import transcript
from tests.cli.commands import run_arena
from tests.viewer.browser import NAMES
from tests.viewer.tables import PLAYED
from tests.viewer.tables import number as numbered

BYTES_A_GAME = (8_000_000 - 1_000_000) / 120
"""120 games with the views of their players in 8 MB, of which everything else takes one."""


@pytest.fixture(scope="module")
def played(watched: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The small tournament in a database of its own: boards are stored in it."""
    file = tmp_path_factory.mktemp("played") / "played.db"
    shutil.copy(watched.removeprefix("sqlite:///"), file)
    return f"sqlite:///{file}"


@pytest.fixture(scope="module")
def copied(played: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small tournament as files, with the games as each player saw them."""
    folder = tmp_path_factory.mktemp("copied") / "site"
    result = run_arena("view", "--db", played, "--export", folder)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip() == str(folder / "index.html")
    return folder


def pages(folder: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of every page of a copy."""
    for file in sorted(folder.glob("*.html")):
        yield file.name, file.read_text()


@pytest.mark.slow
def test_every_link_leads_to_a_file_and_to_a_place_in_it(copied: Path) -> None:
    texts = dict(pages(copied))
    for name, text in texts.items():
        for link in re.findall(r'(?:href|src)="([^"]*)"', text):
            file, _, place = unescape(link).partition("#")
            assert not file.startswith(("/", "http")), (name, link)
            assert (copied / (file or name)).is_file(), (name, link)
            if place:
                assert f'id="{place}"' in texts[file or name], (name, link)
        assert "<form" not in text, name
        assert 'http-equiv="Content-Security-Policy"' in text, name
        assert "A copy of 3 games" in text, name


def test_it_holds_the_games_and_their_views(copied: Path) -> None:
    names = {name for name, _ in pages(copied)}
    assert {"index.html", "games.html", "agents.html", "prompts.html"} <= names
    for number in (1, 2, 3):
        views = {f"game-{number}-as-{player}.html" for player in range(6)}
        assert views | {f"game-{number}.html"} <= names
    board = (copied / "index.html").read_text()
    assert all(agent in board for agent in NAMES)
    assert "95 % interval" in board


def test_no_file_of_a_player_holds_what_it_did_not_see(copied: Path, played: str) -> None:
    for number in (1, 2, 3):
        with get_session(played, create=False) as session:
            row = game(session, number)
            assert row is not None
            report = game_report(row, transcript(session, number))
            heard = {
                event.turn: event.audience
                for event in events(session, number)
                if event.kind == "message" and event.source is not None
            }
        cast = {player.index: player for player in report.players}
        for player in cast:
            said = "".join(turn.new for turn in report.turns if turn.player == player)
            secret = {
                turn.action
                for turn in report.turns
                if turn.player != player and not (heard.get(turn.number) or 0) >> player & 1
            }
            text = unescape((copied / f"game-{number}-as-{player}.html").read_text())
            others = [cast[index].agent for index in cast if index != player]
            assert not [name for name in others if name in text]
            assert not [words for words in secret if words and words not in said and words in text]
            assert "Win chance" not in text


@pytest.mark.slow
def test_turns_of_a_view_are_in_files_of_its_own(tables: str, tmp_path: Path) -> None:
    """A hand is dealt to each player alone: nobody's files hold the other's card."""
    folder = tmp_path / "site"
    write_copy(tables, folder, where={"tournament": "kuhnpoker-v0"}, calls=True)
    number = numbered("KuhnPoker-v0")
    with get_session(tables, create=False) as session:
        hands = [event for event in events(session, number) if event.kind == "deal"]
    for player in range(2):
        files = [*folder.glob(f"game-{number}-*as-{player}.html")]
        assert len(files) > 1
        text = "".join(file.read_text() for file in files)
        own = {f"Your card is: '{e.data['cards'][0]}'" for e in hands if e.target == player}
        shown = set(re.findall("Your card is: '.'", unescape(text)))
        assert shown == own
        assert not re.search(rf"game-{number}-turn-\d+\.html", text)


def test_a_game_with_its_views_is_small_enough_that_120_fit_8_megabytes(copied: Path) -> None:
    games = [*copied.glob("game-*.html")]
    assert len(games) == 3 * (1 + 6)
    assert sum(file.stat().st_size for file in games) / 3 < BYTES_A_GAME
    first = (copied / "index.html").read_text()
    assert "without what models were sent and answered (--calls), the lanes and tables" in first
    assert "games with their roles hidden" in first


def test_a_filter_leaves_no_trace_of_other_games(tables: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    result = run_arena(
        "view", "--db", tables, "--export", folder, "--tournament", "kuhnpoker-v0", "--calls"
    )
    assert result.exit_code == 0, result.stderr
    others = [name for name in PLAYED if name != "KuhnPoker-v0"]
    names = [name for name, _ in pages(folder)]
    assert [name for name in names if re.fullmatch(r"game-\d+\.html", name)] == ["game-4.html"]
    for name, text in pages(folder):
        assert not [other for other in others if other.lower() in text.lower()], name
    assert json.loads((folder / "arena-pages.json").read_text())["games"] == 1


def test_an_old_copy_is_replaced_and_anything_else_is_left_alone(
    played: str, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    refused = run_arena("view", "--db", played, "--export", folder)
    assert refused.exit_code == 2
    assert "holds something else" in refused.stderr
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]
    refused = run_arena("view", "--db", played, "--export", folder / "mine.txt" / "site")
    assert refused.exit_code == 2
    assert "name a folder elsewhere" in refused.stderr
    (folder / "mine.txt").unlink()
    for _ in range(2):
        write_copy(played, folder, where={"agent": NAMES[0]})
    assert (folder / "index.html").is_file()
    assert [file.name for file in tmp_path.iterdir()] == ["site"]


@pytest.mark.slow
def test_a_copy_that_is_interrupted_leaves_what_was_there(played: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    write_copy(played, folder, where={})
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}

    def interrupt(done: int, known: int) -> None:
        assert done <= known
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_copy(played, folder, where={}, on_page=interrupt)
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--export", "site", "--tournament", "nowhere"], "nowhere"),
        (["--export", "site", "--agent", NAMES[0], "--agent", NAMES[1]], "given 2 times"),
        (["--calls"], "--export DIR"),
    ],
)
def test_what_cannot_be_copied_says_why(
    played: str, tmp_path: Path, options: list[str], said: str
) -> None:
    words = [str(tmp_path / "site") if word == "site" else word for word in options]
    result = run_arena("view", "--db", played, *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not [*tmp_path.iterdir()]
