"""From a list of failed calls to the prompt that was sent and why it failed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from arena.viewer.pages import calls
from tests.cli.commands import run_arena
from tests.viewer.browser import Get, browsing

RECORDED = Path(__file__).parent.parent / "recorded" / "arena.db.gz"


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The record of an earlier release, in which calls failed."""
    file = tmp_path_factory.mktemp("failed") / "old.db"
    file.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    assert run_arena("db", "upgrade", "--db", file).exit_code == 0
    return f"sqlite:///{file}"


def attempts(page: str) -> list[tuple[str, str]]:
    """(address, anchor) of the attempts of a page."""
    return re.findall(r'class="where"><a href="([^"#]+)#(call-\d+-\d+)"', page)


def test_each_failed_call_leads_to_its_attempt(failed: str) -> None:
    with browsing(failed) as get:
        page = get("/calls")
        assert page.status_code == 200
        found = attempts(page.text)
        assert found
        for address, anchor in found[:3]:
            turn = get(address).text
            assert f'id="{anchor}"' in turn
            assert "Prompt that was sent" in turn
        kinds = re.findall(r'href="/calls\?failed=(\w+)"', page.text)
        assert kinds
        only = get(f"/calls?failed={kinds[0]}").text
        assert 0 < len(attempts(only)) <= len(found)
        assert get("/calls?failed=Nothing").status_code == 400
        assert get("/calls?before=x").status_code == 400
        assert get("/calls?before=" + "9" * 40).status_code == 400


def test_pages_of_failed_calls(failed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with browsing(failed) as get:
        whole = attempts(get("/calls").text)
        monkeypatch.setattr(calls, "_ROWS", 2)
        address, pages = "/calls", []
        while address:
            page = get(address).text
            pages += attempts(page)
            older = re.search(r'rel="next" href="([^"]+)"', page)
            address = older[1].replace("&amp;", "&") if older else ""
    assert pages == whole


def test_a_database_without_failed_calls_says_so(get: Get) -> None:
    assert "No call has failed in this database" in get("/calls").text
