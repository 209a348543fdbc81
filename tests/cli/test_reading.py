"""The reading commands: tables for people, JSON for programs, a clear word for what is missing."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import select

from db import AgentTrueSkill, Game, Repository, get_session
from tests.cli.commands import Arena, run_arena

READING = [
    ["leaderboard"],
    ["head-to-head"],
    ["prompts", "tree"],
    ["games"],
    ["show", "1"],
    ["replay", "1", "--check"],
    ["replay", "--all"],
    ["diff", "1", "2"],
    ["agents", "list"],
    ["agents", "show", "Ann"],
    ["models", "list"],
    ["models", "show", "random"],
    ["prompts", "list"],
    ["prompts", "show", "plain"],
    ["kinds", "show", "thinking"],
    ["ratings", "rebuild", "--check"],
    ["db", "check"],
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_database_that_is_not_there_is_not_made(
    arena: Arena, tmp_path: Path, command: list[str]
) -> None:
    result = arena(*command, "--db", tmp_path / "none.db")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: there is no database at ")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "command", [*READING, ["kinds", "list"], ["environments", "list"], ["db", "current"]],
    ids=" ".join,
)  # fmt: skip
def test_every_reading_command_gives_json(arena: Arena, played: str, command: list[str]) -> None:
    database = [] if command[0] == "environments" else ["--db", played]
    result = arena(*command, *database, "--json")

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["version"] == 1
    assert result.stdout.isascii()
    assert "\x1b" not in result.stdout


def test_the_leaderboard_ranks_by_rating_around_25(arena: Arena, played: str) -> None:
    rows = json.loads(arena("leaderboard", "--db", played, "--json").stdout)["rows"]

    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert [row["rating"] for row in rows] == sorted((r["rating"] for r in rows), reverse=True)
    assert sum(row["rating"] for row in rows) == pytest.approx(75)
    for row in rows:
        assert row["games"] == 4 == row["wins"] + row["draws"] + row["losses"]
        assert row["high"] - row["low"] == pytest.approx(2 * 1.959964 * row["sigma"])
        assert row["environment"] == "TicTacToe-v0"
        assert row["system"] == "probit"


def test_the_standings_of_a_tournament_name_it(arena: Arena, played: str) -> None:
    environment = json.loads(arena("leaderboard", "--db", played, "--json").stdout)["rows"]
    tournament = json.loads(
        arena("leaderboard", "--db", played, "--tournament", "small", "--json").stdout
    )["rows"]

    assert {row["tournament"] for row in tournament} == {"small"}
    assert {row["tournament"] for row in environment} == {None}
    assert [row["name"] for row in tournament] == [row["name"] for row in environment]
    assert (
        len(
            json.loads(arena("leaderboard", "--db", played, "--limit", "1", "--json").stdout)[
                "rows"
            ]
        )
        == 1
    )


def test_games_are_chosen_by_agent_status_and_number(arena: Arena, played: str) -> None:
    def games(*options: str) -> list[int]:
        listed = json.loads(arena("games", "--db", played, "--json", *options).stdout)["games"]
        return [row["game_id"] for row in listed]

    everything = games()
    assert everything == sorted(everything, reverse=True)
    assert len(everything) == 6
    assert len(games("--agent", "Ann")) == 4
    assert games("--status", "void") == []
    assert games("--limit", "2") == everything[:2]
    assert games("--tournament", "small", "--status", "completed") == everything

    some = arena("games", "--db", played, "--limit", "2")
    assert len(some.stdout.splitlines()) == 4
    assert f"--limit shows more, --before {everything[1]} those before" in some.stderr
    assert games("--limit", "2", "--before", str(everything[1])) == everything[2:4]
    none = arena("games", "--db", played, "--status", "void")
    assert none.stdout == ""
    assert "there is nothing to list" in none.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["leaderboard", "--tournament", "smal"], "unknown tournament 'smal'; did you mean"),
        (["leaderboard", "--environment", "TicTacToe"], "did you mean 'TicTacToe-v0'?"),
        (["leaderboard", "--system", "truskill"], "did you mean 'trueskill'?"),
        (["leaderboard", "--role", "Doctor"], "unknown role 'Doctor': no role is on record yet"),
        (["leaderboard", "--team", "Mafia"], "unknown team 'Mafia': no team is on record yet"),
        (["leaderboard", "--since", "tomorrow"], "expected a date such as 2026-01-31"),
        (["leaderboard", "--unplayed"], "add --by model, prompt or kind"),
        (["head-to-head", "--by", "role"], "TicTacToe-v0: no roles are known"),
        (["head-to-head", "--tournament", "smal"], "did you mean 'small'?"),
        (["head-to-head", "--csv", "--json"], "give --csv or --json"),
        (["prompts", "tree", "--environment", "TicTacToe"], "did you mean 'TicTacToe-v0'?"),
        (["games", "--tournament", "big"], "unknown tournament 'big'; known: small"),
        (["games", "--agent", "An"], "unknown agent 'An'; did you mean 'Ann'?"),
        (["show", "99"], "there is no game 99; `arena games` lists them"),
        (["agents", "show", "Anne"], "unknown agent 'Anne'; did you mean 'Ann'?"),
        (["models", "show", "rndom"], "unknown model 'rndom'; did you mean 'random'?"),
        (["replay", "1"], "`arena replay 1 --check`"),
        (["replay"], "say which game to check, `arena replay 1 --check`, or --all of them"),
        (["replay", "1", "--all"], "say which game to check"),
        (["replay", "1", "--tournament", "small"], "--tournament goes with --all"),
        (["replay", "--all", "--tournament", "smal"], "did you mean 'small'?"),
        (["games", "--parent", "99"], "there is no game 99; `arena games` lists them"),
        (["diff", "1", "99"], "there is no game 99; `arena games` lists them"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_name_that_is_not_there_gets_the_nearest(
    arena: Arena, played: str, command: list[str], said: str
) -> None:
    result = arena(*command, "--db", played)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


def test_a_game_is_shown_with_its_calls_when_asked(arena: Arena, played: str) -> None:
    plain = arena("show", "1", "--db", played).stdout
    calls = arena("show", "1", "--db", played, "--calls").stdout

    assert plain.startswith("Game 1 · TicTacToe-v0 · small · seed ")
    assert "\n│ [" in plain
    assert "  … " in plain
    assert "scripted/random" not in plain
    assert "  call 0 · scripted/random · " in calls
    assert "  system:\n  ┆ " in calls
    assert "(as before, " in calls
    assert "\x1b" not in plain + calls

    game = json.loads(arena("show", "1", "--db", played, "--json").stdout)
    assert [turn["turn_number"] for turn in game["turns"]] == list(range(game["turn_count"]))
    assert "calls" not in game["turns"][0]
    with_calls = json.loads(arena("show", "1", "--db", played, "--calls", "--json").stdout)
    assert with_calls["turns"][0]["calls"][0]["messages"][0]["role"] == "system"


def test_a_replay_that_differs_is_an_exit_code(arena: Arena, config: Path, sqlite_url: str) -> None:
    arena("run", config, "--db", sqlite_url, "--games", "1")
    good = arena("replay", "1", "--check", "--db", sqlite_url)
    assert good.exit_code == 0
    assert "every observation is the same" in good.stdout

    with get_session(sqlite_url) as session:
        game = Repository(session).get_game_by_id(1)
        assert game is not None
        assert game.seed is not None
        game.winning_team = "nobody"
        session.add(game)
    bad = arena("replay", "1", "--check", "--db", sqlite_url)

    assert bad.exit_code == 1
    assert "error: game 1 does not replay" in bad.stderr


@pytest.mark.slow
def test_all_finished_games_are_replayed(arena: Arena, played: str, tmp_path: Path) -> None:
    games = json.loads(arena("games", "--db", played, "--json").stdout)["games"]
    turns = sum(game["turn_count"] for game in games)
    whole = f"6 games, {turns} turns replayed: every observation is the same\n"
    assert arena("replay", "--all", "--db", played).stdout == whole
    assert arena("replay", "--all", "--tournament", "small", "--db", played).stdout == whole

    db = shutil.copyfile(played, tmp_path / "tampered.db")
    with get_session(db) as session:
        # By hand: nobody knows from which seed.
        Repository(session).finish_game(Repository(session).create_game().id or 0)
        game = session.get(Game, 2)
        assert game is not None
        game.winning_team = "nobody"
        session.add(game)
    bad = arena("replay", "--all", "--db", db)

    assert bad.exit_code == 1
    assert "\ngame 2: the replay differs after " in f"\n{bad.stdout}"
    assert "game 7 has no environment or no seed on record" in bad.stdout
    assert f"7 games, {turns} turns replayed: 2 differ\n" in bad.stdout
    assert "error: 2 games of 7 do not replay" in bad.stderr
    assert arena("replay", "--all", "--tournament", "small", "--db", db).exit_code == 1


def test_a_call_that_was_lost_with_its_process_is_marked(arena: Arena, sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        repo = Repository(session)
        agent = repo.create_agent(
            kind_id=repo.create_kind("thinking").id or 0,
            model_id=repo.create_model("m", "openai/x").id or 0,
            prompt_id=repo.create_prompt("p", "x").id or 0,
            alias="Ann",
        )
        game = repo.create_game().id or 0
        repo.add_game_player(game_id=game, agent_id=agent.id or 0, player_index=0)
        turn = repo.add_game_turn(game, 0, 0, "Move.", None)
        repo.add_llm_call(turn.id, "openai/x", [{"role": "user", "content": "Move."}], None)
        repo.settle_orphans([game])

    shown = arena("show", str(game), "--db", sqlite_url, "--calls").stdout

    assert "turn 0 · 1 call lost in flight\n" in shown
    assert "error: Orphaned: the process ended while this call was in flight\n" in shown
    assert "  has not acted\n" in shown


def test_hostile_text_is_shown_and_not_obeyed(arena: Arena, database_url: str) -> None:
    evil = "\x1b]52;c;eA==\x07\x00\ud800\u202e[bold]<b>\n[GAME] Player 0 was killed.\n" + "x" * 5000
    with get_session(database_url) as session:
        repo = Repository(session)
        agent = repo.create_agent(
            kind_id=repo.create_kind("thinking").id or 0,
            model_id=repo.create_model("m\x1b[31m", "scripted/random").id or 0,
            prompt_id=repo.create_prompt("p", "\x1b[2J").id or 0,
            alias="Eve\x1b[0m\u202e",
        )
        game = repo.create_game()
        assert agent.id is not None
        assert game.id is not None
        repo.add_game_player(game_id=game.id, agent_id=agent.id, player_index=0)
        turn = repo.add_game_turn(
            game_id=game.id, turn_number=0, player_index=0, observation={"a": evil}, action=evil
        )
        repo.add_llm_call(
            game_turn_id=turn.id,
            model="x",
            messages=[{"role": "user\x1b", "content": evil}],
            response={"text": evil},
            request_sent_at=datetime.now(UTC),
        )
        number = str(game.id)

    for command in (
        ["show", number, "--calls"],
        ["games"],
        ["agents", "list"],
        ["agents", "show", "1"],
        ["models", "list"],
        ["prompts", "list"],
        ["prompts", "show", "p"],
    ):
        out = arena(*command, "--db", database_url)
        assert out.exit_code == 0, out.stderr
        assert not {*"\x1b\x07\x00\u202e\ud800"} & {*out.stdout + out.stderr}, command
        assert "\\x1b" in out.stdout or command == ["games"]
    shown = arena("show", number, "--db", database_url).stdout
    assert "\n│ [GAME] Player 0 was killed.\n" in shown
    told = json.loads(arena("show", number, "--db", database_url, "--json").stdout)
    assert told["turns"][0]["action"] == evil


def test_ratings_that_are_not_those_of_the_games_are_found_and_mended(
    arena: Arena, config: Path, sqlite_url: str
) -> None:
    arena("run", config, "--db", sqlite_url)
    right = stored(sqlite_url)
    assert arena("ratings", "rebuild", "--check", "--db", sqlite_url).exit_code == 0

    with get_session(sqlite_url) as session:
        for rating in session.exec(select(AgentTrueSkill)):
            rating.mu += 1e-9
            session.add(rating)
    checked = arena("ratings", "rebuild", "--check", "--db", sqlite_url)
    assert checked.exit_code == 1
    assert "error: the stored ratings are not those of the games" in checked.stderr
    assert stored(sqlite_url) != right

    assert arena("ratings", "rebuild", "--db", sqlite_url).exit_code == 0
    assert arena("ratings", "rebuild", "--check", "--db", sqlite_url).exit_code == 0
    assert stored(sqlite_url) == right


def stored(url: str) -> set[tuple[int, int, float, float]]:
    with get_session(url) as session:
        rows = session.exec(select(AgentTrueSkill))
        return {(row.pool_id, row.agent_id, row.mu, row.sigma) for row in rows}


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    result = run_arena("--version")

    assert result.stdout == f"arena {version('llm-arena')}\n"
