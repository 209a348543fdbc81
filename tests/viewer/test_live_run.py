"""A real run, watched over HTTP: from start to end, killed in the middle, and resumed."""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.viewer.live import KEY, Evening, watching
from tests.viewer.serving import Served
from torture.commands import Commands
from torture.databases import PostgreSQL

pytestmark = pytest.mark.slow


def _from_start_to_end(commands: Commands, served: Served, folder: Path, url: str) -> None:
    with Evening(commands, folder, url) as evening, evening.played() as run:
        evening.wait_until_held()
        with served(url) as address, watching(address, "/t/evening", "tournament-1") as viewer:
            page = viewer.until(
                '<span class="state on">running</span>',
                # Both calls in flight are known to the run alone, which says so once a second: what
                # it said before may be of a moment when one of them was not yet sent.
                "<dt>Calls in flight</dt><dd>2 ",
                '<span class="tag good">answers</span></td><td class="n">2</td>',
                "<small>of $5.00</small>",
                'id="standings"',
                "Ann",
            )
            assert KEY not in page
            assert "1 is being played now" in viewer.browser.get("/tournaments").text

            game = re.findall(r'href="(/game/\d+)"', page)[0]
            begun = viewer.browser.get(game).text
            assert 'data-about="game-' in begun

            run.signal()
            run.wait()
            page = viewer.until("evening has stopped at")
            assert "<code><bdi>arena resume evening</bdi></code> plays what is left" in page
            assert "and did not end in order" in page
            assert "2 begun and stopped in the middle" in page

            evening.go_on()
            with evening.played("resume", "evening") as again:
                page = viewer.until("evening is finished: 6 games")
                assert again.wait().code == 0
            assert "and did not end in order" not in viewer.until("Its last run ended")
            ended = viewer.browser.get(game).text
            assert ended.count('id="turn-') > begun.count('id="turn-')
            assert "data-about" not in ended


def test_a_run_is_watched_killed_and_resumed(
    commands: Commands, served: Served, tmp_path: Path
) -> None:
    _from_start_to_end(commands, served, tmp_path, f"sqlite:///{tmp_path / 'evening.db'}")


@pytest.mark.sweep
def test_a_run_on_a_server_is_watched_killed_and_resumed(
    commands: Commands, served: Served, tmp_path: Path, empty_postgresql_url: str
) -> None:
    _from_start_to_end(commands, served, tmp_path, empty_postgresql_url)


def test_a_database_that_goes_away_is_said_and_so_is_its_return(
    watched: str, served: Served, tmp_path: Path
) -> None:
    file, elsewhere = tmp_path / "here.db", tmp_path / "elsewhere.db"
    shutil.copyfile(watched.removeprefix("sqlite:///"), file)
    with ExitStack() as afterwards:
        with served(file) as address:
            viewer = afterwards.enter_context(watching(address, "/t/watched", "tournament-1"))
            assert viewer.told()[0] == "moved"
            file.rename(elsewhere)
            event, said = viewer.told()
            assert event == "away"
            assert "is now gone" in said
            assert viewer.browser.get("/t/watched").status_code == 503
            # A copy is another file.
            shutil.copyfile(elsewhere, file)
            while viewer.told()[0] != "moved":
                pass
            assert viewer.browser.get("/t/watched").status_code == 200
            assert viewer.browser.get("/live?about=nobody-1").status_code == 404
            plain = httpx.URL(address).copy_with(path="/live", query=b"about=all-0")
            assert httpx.get(plain, trust_env=False, timeout=120).status_code == 404
        # The server has ended: a stream that it had cut off raises here.
        assert [line for line in viewer.lines if line.startswith("event")] == []


@pytest.mark.sweep
def test_a_server_that_goes_away_is_said_and_so_is_its_return(
    commands: Commands, served: Served, tmp_path: Path
) -> None:
    own = PostgreSQL()
    try:
        url = own.base
        with Evening(commands, tmp_path, url) as evening, evening.played():
            evening.wait_until_held()
            with served(url) as address, watching(address, "/t/evening", "tournament-1") as viewer:
                viewer.until("running")
                with own.away("fast"):
                    while viewer.told()[0] != "away":
                        pass
                    assert viewer.browser.get("/t/evening").status_code == 503
                while viewer.told()[0] != "moved":
                    pass
                assert viewer.browser.get("/t/evening").status_code == 200
    finally:
        own.close()
