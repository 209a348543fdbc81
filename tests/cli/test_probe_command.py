"""`arena probe` asks seats on record what they believe, and leaves their game as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from arena.analysis import beliefs_df
from tests.cli.commands import Arena, run_arena
from tests.servers.openai_server import OpenAIServer, Reply

KINDS = """\
name: kinds
seed: 4
environment: {name: SecretMafia-v0, players: 6}
games: 1
prompts: [{name: short, text: Play.}]
models:
  - {name: sharp, litellm_model: scripted/mafia-sharp}
  - {name: naive, litellm_model: scripted/mafia-naive}
agents:
  - {name: Ann, kind: believing, model: sharp, prompt: short}
  - {name: Bob, kind: reviewing, model: naive, prompt: short}
  - {name: Cid, kind: sampling, model: naive, prompt: short}
  - {name: Dan, kind: thinking, model: sharp, prompt: short}
  - {name: Eve, kind: remembering, model: sharp, prompt: short}
  - {name: Fay, kind: believing, model: naive, prompt: short}
"""


@pytest.fixture(scope="module")
def kinds_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kinds") / "kinds.yaml"
    file.write_text(KINDS)
    result = run_arena("run", file, "--db", file.with_name("kinds.db"))
    assert result.exit_code == 0, result.stderr
    return file


@pytest.fixture
def played_kinds(kinds_file: Path, tmp_path: Path) -> str:
    """A database of one game of agents of every kind."""
    return shutil.copy(kinds_file.with_name("kinds.db"), str(tmp_path / "own.db"))


def test_seats_say_what_they_believe_and_the_game_stays_as_it_is(
    arena: Arena, kinds_file: Path, database_url: str
) -> None:
    db = ("--db", database_url)
    assert arena("run", kinds_file, *db).exit_code == 0
    before = arena("show", 1, "--json", *db).stdout

    first = json.loads(arena("probe", 1, "--turn", 9, "--json", *db).stdout)
    again = arena("probe", 1, "--turn", 9, "--json", *db)

    assert json.loads(again.stdout) == first
    assert arena("show", 1, "--json", *db).stdout == before
    assert arena("replay", 1, "--check", *db).exit_code == 0
    mafia = [seat for seat in first["seats"] if seat["role"] == "Mafia"]
    for seat in mafia:
        [other] = [each for each in seat["beliefs"] if each["role"] == "Mafia"]
        assert other["chances"]["Mafia"] == 1.0
        assert other["score"]["brier"] == 0.0
    for seat in first["seats"]:
        assert seat["seen_at"] <= 9
        assert seat["player"] not in {each["target"] for each in seat["beliefs"]}

    frame = beliefs_df(database_url)
    assert {*frame.asked_by} == {"agent", "probe"}
    assert {*frame[frame.asked_by == "agent"].agent} <= {"Ann", "Fay"}
    probes = frame[frame.asked_by == "probe"]
    assert len(probes) == sum(len(seat["beliefs"]) for seat in first["seats"])
    assert {*probes.turn} == {9}
    told = {(s["player"], b["target"]): b["score"] for s in first["seats"] for b in s["beliefs"]}
    for row in probes.itertuples():
        assert (row.identified, row.brier) == tuple(
            told[row.source, row.target][name] for name in ("identified", "brier")
        )
        assert (row.deceived is None or row.deceived != row.deceived) == (
            row.team == row.target_team
        )
    assert {*beliefs_df(database_url, agent="Ann").agent} == {"Ann"}


def test_what_is_asked_is_what_the_seat_had_seen_and_nothing_else(
    arena: Arena, played_kinds: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secretsecretsecretsecret")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    db = ("--db", played_kinds)
    shown = json.loads(arena("show", 1, "--json", *db).stdout)
    turn = shown["turns"][9]
    player = turn["player_index"]
    answer = json.dumps({"beliefs": {str(player): {"Villager": 1} for player in range(6)}})
    with OpenAIServer([Reply(answer)] * 6) as server:
        arena("models", "add", "asked", "openai/x", "--api-base", server.url, *db)
        result = arena(
            "probe", 1, "--turn", 9, "--model", "asked", "--player", player, "--json", *db
        )
        bodies = server.requests

    assert result.exit_code == 0, result.stderr
    [body] = bodies
    seen = body.body["messages"][-1]["content"]
    assert seen.startswith(turn["observation"])
    assert "# Your task: say what you believe" in seen.removeprefix(turn["observation"])
    assert seen.count("# Your task: ") == 1


def test_what_is_not_there_is_said(arena: Arena, played: str, played_kinds: str) -> None:
    for db, typed, says in [
        (played_kinds, ("99",), "there is no game 99: `arena games` lists them"),
        (played_kinds, ("1", "--turn", "400"), "game 1 has no turn 400: it has turns 0 to "),
        (played_kinds, ("1", "--player", "6"), "game 1 has no player 6: it has 0 to 5"),
        (played_kinds, ("1", "--model", "nobody"), "there is no model 'nobody' in the catalogue"),
        (played, ("1",), "game 1 of TicTacToe-v0 names no roles"),
    ]:
        result = arena("probe", *typed, "--db", db)
        assert result.exit_code == 2
        assert says in result.stderr


def test_a_seat_that_was_never_asked_and_an_answer_without_beliefs_are_said(
    arena: Arena, played_kinds: str
) -> None:
    db = ("--db", played_kinds)

    nobody = arena("probe", 1, "--turn", 0, "--player", last_to_act(arena, *db), *db)
    arena("models", "add", "mute", "scripted/scenario-fair", *db)
    mute = arena("probe", 1, "--model", "mute", *db)

    assert (nobody.exit_code, mute.exit_code) == (2, 1)
    assert "nobody can be asked before turn 0 of game 1" in nobody.stderr
    assert "its answer could not be read" in mute.stderr


def last_to_act(arena: Arena, *db: str) -> int:
    """The player whose first turn comes last."""
    turns = json.loads(arena("show", 1, "--json", *db).stdout)["turns"]
    return [*dict.fromkeys(turn["player_index"] for turn in turns)][-1]
