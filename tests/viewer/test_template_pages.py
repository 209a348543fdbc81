"""The pages of templates: what there is, what was made from it, and a stranger's words in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.analysis import templates_df
from arena.core import UsageError
from arena.templates import AgentTemplateCreate, TemplateManager
from db import get_session
from tests.cli.commands import run_arena
from tests.viewer.browser import browsing

NASTY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The starters, of which one was played, and a template with a hostile name."""
    file: Path = tmp_path_factory.mktemp("made") / "made.db"
    for words in ("db seed", "run --template first-steps --set games=2 --set name=evening"):
        result = run_arena(*words.split(), "--db", file)
        assert result.exit_code == 0, result.stderr
    with get_session(file) as session:
        hostile = AgentTemplateCreate(name=NASTY, description=f"{NASTY}\u202e")
        TemplateManager(session).create_agent_template(hostile)
    return f"sqlite:///{file}"


@pytest.mark.slow
def test_templates_lead_to_what_was_made_from_them_and_back(made: str) -> None:
    with browsing(made) as get:
        listed = get("/templates").text
        assert "<h2>Of agents</h2>" in listed
        assert "<h2>Of tournaments</h2>" in listed
        assert '<a href="/template/tournament/first-steps">' in listed
        assert '<a href="/t/evening"><bdi>evening</bdi></a>' in listed
        one = get("/template/tournament/first-steps").text
        assert '<a href="/t/evening">' in one
        assert "name: TicTacToe-v0" in one
        cup = get("/t/evening").text
        assert 'from the template <a href="/template/tournament/first-steps">' in cup
        assert 'href="/templates"' in get("/tournaments").text
        assert 'href="/templates"' in get("/agents").text
        nasty = get("/template/agent/" + NASTY.replace("/", "%2F"))
        assert nasty.status_code == 200
        for page in (listed, nasty.text):
            assert "<script>alert" not in page
            assert "\u202e" not in page
        for path in ("/template/agent/none", "/template/cup/first-steps", "/template/agent/"):
            assert get(path).status_code == 404, path


@pytest.mark.slow
def test_the_frame_and_the_command_say_the_same(made: str) -> None:
    frame = templates_df(made).set_index("template")
    assert frame.loc["first-steps", "of"] == "tournament"
    assert frame.loc["first-steps", "used_by"] == ["evening"]
    assert frame.loc["first-steps", "content"]["config"]["environment"]["name"]
    assert frame.loc[NASTY, "uses"] == 0
    assert {*templates_df(made, of="agent")["of"]} == {"agent"}
    assert [*templates_df(made, columns=["uses"], limit=1).columns] == ["uses"]
    with pytest.raises(UsageError, match="no database"):
        templates_df("nowhere.db")

    file = made.removeprefix("sqlite:///")
    shown = run_arena("tournaments", "show", "evening", "--db", file)
    assert "template" in shown.stdout
    assert "first-steps" in shown.stdout


def test_without_templates_it_says_how_to_get_some(sqlite_url: str) -> None:
    with browsing(sqlite_url) as get:
        page = get("/templates").text
    assert "<h1>No template yet</h1>" in page
    assert "<code>arena db seed</code>" in page
    assert templates_df(sqlite_url).empty
