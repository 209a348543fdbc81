"""The page on templates: what it shows is typed, in the order in which it stands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.commands import Arena
from tests.setup.shell import ROOT, blocks

PAGE = ROOT / "docs" / "templates.md"


@pytest.mark.slow
def test_everything_on_the_page_can_be_typed(
    arena: Arena,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARENA_DATABASE_URL", "sqlite:///page.db")
    [commands] = [block.commands for block in blocks(PAGE) if block.language == "bash"]
    agent, entries, tournament = [block.text for block in blocks(PAGE) if block.language == "yaml"]

    for command in commands:
        done = arena(*shlex.split(command, comments=True)[1:])
        assert done.exit_code == 0, (command, done.stderr)
    Path("auditor.yaml").write_text(agent)
    Path("evening.yaml").write_text(tournament)
    Path("mine.yaml").write_text("template: evening\nname: mine\ngames: 2\n" + entries)
    for command in (
        "templates add auditor.yaml",
        "templates add evening.yaml",
        "run --template evening --set games=2",
        "run mine.yaml",
        "agents add Third --template auditor --model random --var name=Third",
    ):
        done = arena(*shlex.split(command))
        assert done.exit_code == 0, (command, done.stderr)
    models = json.loads(arena("models", "list", "--json").stdout)["models"]
    assert "random+auditor" in [model["name"] for model in models]

    typed = re.findall(r"\| `arena (templates [^`]*)` \|$", PAGE.read_text(), re.MULTILINE)
    Path("auditor.yaml").unlink()
    arena("templates", "export", "auditor", "auditor.yaml")
    for command in typed[:2]:
        done = arena(*shlex.split(command))
        assert done.exit_code == 0, (command, done.stderr)
    assert "is there already" in arena(*shlex.split(typed[2])).stderr
    assert (
        "is used by the agents 'auditor', 'Otto', 'Third'; the tournament template 'evening'"
        in (arena(*shlex.split(typed[3]), "--yes").stderr)
    )

    [example] = [block.text for block in blocks(PAGE) if block.language == "python"]
    exec(compile(example, "example", "exec"), {})
    assert capsys.readouterr().out == "['quiet']\n"
