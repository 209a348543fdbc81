"""A researcher's evening: from an empty folder to a data set, with three mistakes on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pyarrow.parquet
import pytest

import arena as library
from arena.analysis import leaderboard_df, plot_intervals, votes_df
from tests.cli.commands import Arena
from tests.notebooks.executing import executed, streamed
from tests.servers.openai_server import OpenAIServer, Reply, error
from torture.server import legal

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "first-tournament.ipynb"
SHARP, VILLAGER = "thinking/mafia-sharp/plain", "thinking/villager/plain"
GAMES = 4


def only_villager(body: dict[str, Any]) -> Reply | str:
    """The answers of a provider that has one model."""
    if body["model"] == "villager":
        return legal(body)
    return error(404, f"The model `{body['model']}` does not exist", "model_not_found")


def read(arena: Arena, *command: str) -> Any:
    result = arena(*command, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def edit(file: Path, *changes: tuple[str, str]) -> None:
    for before, after in changes:
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))


@pytest.fixture
def folder(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which the commands are typed; a key and a database are in place."""
    empty = tmp_path / "evening"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setenv("ARENA_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secretsecretsecretsecret")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return empty


@pytest.mark.slow
def test_an_evening_with_three_mistakes(
    arena: Arena, folder: Path, empty_database_url: str
) -> None:
    with OpenAIServer(only_villager) as server:
        _a_wrong_model_is_corrected_and_burns_no_name(arena, folder / "evening.yaml", server)
        _typos_are_told_what_was_meant(arena, server)
        _the_tournament_grows(arena)
    _questions_are_answered(arena, folder, empty_database_url)
    _what_is_there_is_not_overwritten_nor_deleted_unasked(arena, folder)
    _the_data_set_is_what_was_played(arena, folder)
    _elsewhere_the_ratings_are_the_same(arena, empty_database_url)
    cells = executed(NOTEBOOK, folder, empty_database_url)
    assert streamed(cells.values(), "stderr") == []
    newest = cells["board-table"].outputs[-1].data["text/plain"]
    assert SHARP in newest
    assert "New" in newest


def _a_wrong_model_is_corrected_and_burns_no_name(
    arena: Arena, file: Path, server: OpenAIServer
) -> None:
    models = ("--model", "openai/vilager", "--model", "scripted/mafia-sharp")
    begun = arena("init", file.name, *models, "--kind", "thinking", "--games", str(GAMES))
    assert begun.exit_code == 0, begun.stderr
    # The model's agents are called after it, so that its name here is corrected as well.
    edit(
        file,
        ("name: vilager\n", "name: villager\n"),
        ("[vilager, ", "[villager, "),
        ("openai/vilager", f"openai/vilager\n    api_base: {server.url}"),
        ("players: 6", "players: 6\n  options: {discussion_rounds: 1}"),
    )

    failed = arena("run", file.name)
    assert failed.exit_code == 1
    assert (
        "model 'villager' (openai/vilager) did not answer in 1 attempt: HTTP 404: The model "
        "`vilager` does not exist\nCheck the model's name" in failed.stderr
    )
    assert "to go on: arena run evening.yaml\n" in failed.stderr

    edit(file, ("openai/vilager", "openai/villager"))
    played = arena("run", file.name)
    assert played.exit_code == 0, played.stderr
    assert f"evening: {GAMES} games, " in played.stderr
    (cup,) = read(arena, "tournaments", "list")["tournaments"]
    assert (cup["name"], cup["status"], cup["by_status"]) == (
        "evening", "finished", {"completed": GAMES},
    )  # fmt: skip
    models_on_record = read(arena, "models", "list")["models"]
    assert [(model["name"], model["litellm_model_name"]) for model in models_on_record] == [
        ("mafia-sharp", "scripted/mafia-sharp"),
        ("villager", "openai/villager"),
    ]
    agents = read(arena, "agents", "list")["agents"]
    assert sorted(agent["name"] for agent in agents) == [SHARP, VILLAGER]


def _typos_are_told_what_was_meant(arena: Arena, server: OpenAIServer) -> None:
    for command, said in (
        ("run quickstar", "did you mean 'quickstart', which comes with the arena?"),
        ("run evning.yaml", "did you mean 'evening.yaml'?"),
        ("run evening.yaml --set game=8", "did you mean 'games'?"),
        ("ask vilager Hello", "did you mean the model 'villager', which is on record?"),
        (f"compare {SHARP} thinking/vilager/plain --played", f"did you mean '{VILLAGER}'?"),
        ("leaderboard --tournament evenin", "did you mean 'evening'?"),
    ):
        wrong = arena(*command.split(" "))
        assert (wrong.exit_code, wrong.stdout) == (2, ""), command
        assert said in wrong.stderr

    before = len(server.requests)
    asked = arena("ask", "villager", "Valid: [1] [2]")
    assert asked.exit_code == 0, asked.stderr
    assert asked.stdout in {"[1]\n", "[2]\n"}
    assert "openai/villager, answered by villager, " in asked.stderr
    assert len(server.requests) == before + 1


def _the_tournament_grows(arena: Arena) -> None:
    first = read(arena, "games")["games"]
    grown = arena("run", "evening.yaml", "--set", f"games={2 * GAMES}")

    assert grown.exit_code == 0, grown.stderr
    assert f"evening: {GAMES} games, " in grown.stderr
    games = read(arena, "games")["games"]
    assert len(games) == 2 * GAMES
    assert games[-GAMES:] == first


def _questions_are_answered(arena: Arena, folder: Path, url: str) -> None:
    board = leaderboard_df(url)
    assert set(board.name) == {SHARP, VILLAGER}
    votes = votes_df(url, agent=SHARP)
    assert len(votes) > GAMES
    assert set(votes.agent) == {SHARP}

    new = {"name": "New", "model": "scripted/random", "prompt": "Win."}
    match = library.match(SHARP, new, environment="TicTacToe-v0", games=2, source=url)
    assert len(match.games) == 2
    compared = arena("compare", SHARP, "New", "--played", "--json")
    assert compared.exit_code == 1, compared.stderr  # two games are too few
    assert json.loads(compared.stdout)["verdict"]["games"] == 2

    with mpl.rc_context({"backend": "agg"}):
        plot_intervals(board).figure.savefig(folder / "figure.png")
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG")


def _what_is_there_is_not_overwritten_nor_deleted_unasked(arena: Arena, folder: Path) -> None:
    notes = folder / "results" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine")
    refused = arena("export", "results")
    assert refused.exit_code == 2
    assert "the folder results is not empty: give the name of a new one" in refused.stderr
    assert [*notes.parent.iterdir()] == [notes]

    unasked = arena("tournaments", "delete", "evening", input="n\n")
    assert unasked.exit_code != 0
    assert f"the tournament evening: {2 * GAMES} games ({2 * GAMES} finished" in unasked.stderr
    seated = arena("agents", "delete", VILLAGER, "--yes")
    assert seated.exit_code == 2
    assert (
        f"error: this agent has a seat in {2 * GAMES} games in evening: what was played stays"
        in seated.stderr
    )
    assert len(read(arena, "games", "--tournament", "evening")["games"]) == 2 * GAMES


def _the_data_set_is_what_was_played(arena: Arena, folder: Path) -> None:
    chosen = ("--tournament", "evening")
    written = read(arena, "export", "frames", "--format", "parquet", *chosen)
    assert {file["file"] for file in written["files"]} >= {"frames/games.parquet"}
    games = pyarrow.parquet.read_table(folder / "frames" / "games.parquet").to_pylist()
    assert [game["tournament"] for game in games] == ["evening"] * 2 * GAMES

    (file,) = read(arena, "export", "training", "--for", "sft", *chosen)["files"]
    lines = (folder / "training" / "sft.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == file["rows"]
    assert {row["agent"] for row in rows} == {SHARP, VILLAGER}
    assert {row["messages"][-1]["role"] for row in rows} == {"assistant"}


def _elsewhere_the_ratings_are_the_same(arena: Arena, url: str) -> None:
    archived = arena("export", "--archive", "evening.zip", "--tournament", "evening")
    assert archived.exit_code == 0, archived.stderr
    restored = arena("import", "evening.zip", "--db", "elsewhere.db")
    assert restored.exit_code == 0, restored.stderr
    boards = [
        read(arena, "leaderboard", "--tournament", "evening", "--db", place)
        for place in (url, "elsewhere.db")
    ]
    assert boards[0] == boards[1]
