"""Every page over the record of an earlier release, with branches, failed calls and other games."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.cli.commands import run_arena
from tests.viewer.browser import browsing

RECORDED = Path(__file__).parent.parent / "recorded" / "arena.db.gz"


@pytest.mark.slow
def test_pages_of_an_old_database(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    file.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    with browsing(f"sqlite:///{file}") as get:
        refused = get("/games")
        assert refused.status_code == 503
        assert "arena db upgrade" in refused.text
        result = run_arena("db", "upgrade", "--db", file)
        assert result.exit_code == 0, result.stderr
        # The same pages, which were not started again.
        listed = re.findall(r'class="n"><a href="(/game/\d+)"', get("/games").text)
        assert listed
        for game in listed:
            page = get(game)
            assert page.status_code == 200, game
            turns = re.findall(rf'href="({game}/turn/\d+)"', page.text)
            for address in (f"{game}?hidden=1", f"{game}?as=1", *turns[:3], *turns[-1:]):
                assert get(address).status_code == 200, address
