"""The README: its two commands, and a tour of which every command is typed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

from arena.config import load
from arena.config.shipped import find
from tests.servers.forked import forked_commands
from tests.setup.shell import ROOT, Block, Typed, blocks, clean_environment, type_all

README = ROOT / "README.md"
BLOCKS = blocks(README)
GAMES = 18  # of every tournament: the tour is what is tested here, not how long it takes
# Blocks that are not typed, or not here, and what for.
NOTES = {
    "needs a PostgreSQL server": "the other tests start one",
    "needs a key": "paid for by who has it",
    "needs a server of models": "the tests of the orchestrator play against one on loopback",
    "as a package": "test_wheel.py types it",
}
CODE = "tour.py"


def in_the_shell(block: Block) -> list[str]:
    """A block as lines for the shell; Python is put into a file first."""
    if block.language == "python":
        return [f"python {CODE}"]
    return [
        line.replace("make demo", "arena run configs/quickstart.yaml") for line in block.commands
    ]


@pytest.fixture(scope="module")
def checkout(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Path]:
    """A folder with an environment in `.venv`. Its `arena` imports everything anew each time in a
    sweep, and else is forked from one process that has done so."""
    folder = tmp_path_factory.mktemp("tour")
    if request.config.getoption("--sweep"):
        (folder / ".venv").symlink_to(sys.prefix)
        yield folder
        return
    commands = folder / ".venv" / "bin"
    commands.mkdir(parents=True)
    (commands / "activate").write_text(f'PATH="{commands}:$PATH"\n')
    (commands / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (commands / "python").chmod(0o755)
    with forked_commands(commands):
        yield folder


@pytest.fixture(scope="module")
def tour(checkout: Path) -> dict[str, Typed]:
    """Every command of the tour, typed in a folder that looks like a checkout after `make demo`."""
    folder = checkout
    shutil.copytree(ROOT / "configs", folder / "configs")
    for file in (folder / "configs").glob("*.yaml"):
        fewer = re.sub(r"^games: \d+$", f"games: {GAMES}", file.read_text(), flags=re.MULTILINE)
        file.write_text(fewer)
    commands = ["./.venv/bin/arena run configs/quickstart.yaml"]
    for block in BLOCKS[1:]:
        if block.note or block.language not in {"sh", "python"}:
            continue
        commands += in_the_shell(block)
        if block.language == "python":
            (folder / CODE).write_text(block.text)
    typed = type_all(commands, folder, clean_environment())
    last = list(typed.values())[-1]
    assert last.status == last.expected, f"{last.command}\n{last.output}"
    assert len(typed) == len(set(commands)), f"it ended with {last.command}\n{last.output}"
    return typed


def test_it_begins_with_a_sentence_a_picture_and_two_commands() -> None:
    text = README.read_text()
    head, _, _ = text.partition("```")

    assert BLOCKS[0].commands == ["make demo", "make test"]
    assert BLOCKS[0].note == ""
    paragraphs = [part.replace("\n", " ") for part in head.split("\n\n")]
    assert [part[:2] for part in paragraphs if part] == ["# ", "Ar", "!["]
    assert len(re.findall(r"[.!?](?: |$)", paragraphs[1])) == 1


def test_every_block_that_is_not_typed_says_why() -> None:
    assert {block.note for block in BLOCKS} - {""} == set(NOTES)
    assert {block.language for block in BLOCKS if not block.note} == {"sh", "python", "yaml"}


@pytest.mark.slow
def test_the_demo_is_played_and_ranked(tour: dict[str, Typed]) -> None:
    agents = {agent.name for agent in load(ROOT / "configs" / "quickstart.yaml").agents}

    for command in ("./.venv/bin/arena run configs/quickstart.yaml", "arena leaderboard"):
        assert f"{GAMES} games" in tour[command].output
        assert all(name in tour[command].output for name in agents)


@pytest.mark.slow
def test_a_game_is_read_and_played_again(tour: dict[str, Typed]) -> None:
    assert tour["arena show 17"].output.startswith("Game 17 ")
    assert "every observation is the same" in tour["arena replay 17 --check"].output


@pytest.mark.slow
def test_a_changed_tournament_is_refused_and_its_copy_is_played(tour: dict[str, Typed]) -> None:
    refused = tour["arena run mine/quickstart.yaml  # exit code 2"]

    assert refused.status == 2
    assert "mine/quickstart.yaml:" in refused.output
    assert "seed is 99, was 7" in refused.output
    assert "6 games" in tour["arena run mine/mine.yaml --games 6"].output


@pytest.mark.slow
def test_the_catalogue_is_listed_and_forked(tour: dict[str, Typed]) -> None:
    assert "Sharp with notes" in tour["arena agents list"].output
    assert "thinking" in tour["arena kinds list"].output
    assert "scripted/mafia-sharp" in tour["arena models list"].output
    assert "{{player_index}}" in tour["arena prompts show mafia-plain"].output
    assert any(command.startswith("arena agents fork ") for command in tour)


@pytest.mark.slow
def test_a_paid_tournament_is_looked_at_without_a_key(tour: dict[str, Typed]) -> None:
    [typed] = [typed for command, typed in tour.items() if "hosted.yaml --dry-run" in command]
    assert "time: " in typed.output
    assert "a run would not start yet" in typed.output
    assert "OPENAI_API_KEY" in typed.output


@pytest.mark.slow
def test_json_goes_through_a_pipe(tour: dict[str, Typed]) -> None:
    [piped] = [typed for command, typed in tour.items() if "--json |" in command]
    # The games of `arena compare` came between the two.
    rows = [line for line in tour["arena leaderboard"].output.splitlines() if line[:1].isdigit()]

    *_, name = piped.output.splitlines()  # after the notes
    assert any(name in row for row in rows)


@pytest.mark.slow
def test_python_reads_the_same_ratings(tour: dict[str, Typed]) -> None:
    printed = tour[f"python {CODE}"].output

    assert "Sharp" in printed
    assert "Detective" in printed


def test_what_is_not_typed_names_tournaments_that_are_there() -> None:
    named = re.findall(r"arena run (\S+)", "".join(block.text for block in BLOCKS if block.note))

    assert len(named) == 4
    for file in named:
        assert load(find(Path(file)) if "/" not in file else ROOT / file).games >= 6


def test_the_line_for_editors_leads_to_the_schema() -> None:
    [block] = [block for block in BLOCKS if block.language == "yaml"]
    [place] = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", block.text, re.MULTILINE)

    assert json.loads((ROOT / place).read_text())["title"] == "TournamentConfig"
    assert yaml.safe_load(block.text) is None
    for file in (ROOT / "configs").glob("*.yaml"):
        first = file.read_text().splitlines()[0]
        assert os.path.normpath(file.parent / first.partition("$schema=")[2]) == str(ROOT / place)


def test_there_is_a_place_for_the_measured_figures() -> None:
    page = (ROOT / "docs" / "bench.md").read_text()
    assert len(re.findall(r"^<!-- bench -->\n(?:.*\n)*?<!-- /bench -->$", page, re.M)) == 1


def test_the_note_on_the_name_quotes_the_licence() -> None:
    files = distribution("trueskill").files or []
    [licence] = [file for file in files if file.name == "LICENSE"]
    quoted = re.findall(r"^> (.*)$", README.read_text(), re.MULTILINE)

    assert " ".join(" ".join(quoted).split()) in " ".join(licence.read_text().split())


def test_the_pictures_are_small() -> None:
    first, *others = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README.read_text())

    assert (ROOT / first).stat().st_size < 150_000
    assert others
    assert all((ROOT / picture).stat().st_size < 60_000 for picture in others)
