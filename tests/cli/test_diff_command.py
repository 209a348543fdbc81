"""Two games are compared turn by turn, and nothing in them can pass for something else."""

from __future__ import annotations

import json

import pytest
from sqlmodel import Session

from db import Agent, Repository, get_session
from tests.cli.commands import Arena

EVIL = "\x1b]52;c;eA==\x07\u202e[bold]\n──── game 2 ────\nPlayer 0 won\n" + "x" * 5000


def record(session: Session, agents: list[Agent], *turns: str, parent: int | None = None) -> int:
    """A finished game of two players who take turns; the first of them has won."""
    repo = Repository(session)
    game = repo.create_game()
    assert game.id is not None
    if parent is not None:
        game.parent_game_id, game.parent_turn = parent, 1
    for index, agent in enumerate(agents):
        repo.add_game_player(game_id=game.id, agent_id=agent.id or 0, player_index=index)
        repo.update_game_player(game.id, index, rank=index)
    for number, action in enumerate(turns):
        repo.add_game_turn(
            game_id=game.id,
            turn_number=number,
            player_index=number % 2,
            observation=f"{'all that was said before: ' * 9}{' '.join(turns[:number])}",
            action=action,
        )
    repo.finish_game(game.id, winning_team="Player 0")
    return game.id


@pytest.fixture
def games(sqlite_url: str) -> str:
    """Game 1, its branch 2 from turn 1 on with another agent, and game 3 that ends earlier."""
    with get_session(sqlite_url) as session:
        repo = Repository(session)
        model = repo.create_model("m", "scripted/random").id or 0
        kind, prompt = repo.create_kind("thinking").id or 0, repo.create_prompt("p", "x").id or 0
        ann, bob, eve = (
            repo.create_agent(
                kind_id=kind, model_id=model, prompt_id=prompt, alias=name, options={"n": name}
            )
            for name in ("Ann", "Bob", "Eve\x1b[2J")
        )
        record(session, [ann, bob], "[0]", "[1]", "[2]", "[3]")
        record(session, [ann, eve], "[0]", EVIL, "[2]", *["[4]"] * 20, parent=1)
        record(session, [ann, bob], "[0]", "[1]")
    return sqlite_url


def test_a_game_and_its_branch_share_a_line_and_then_part(arena: Arena, games: str) -> None:
    said = arena("diff", "1", "2", "--db", games).stdout

    head, _, rest = said.partition("\n\nturn 1 ──")
    assert head == (
        "Game 1\nGame 2 · branch of game 1 from turn 1\n\nthe first turn is the same\n"
        "live from turn 1\nturn 1: the action differs"
    )
    first, second, third, *_ = rest.split("\n\nturn ")
    assert "Player 1 Bob" in first
    assert first.split("game 1\n")[1].startswith("│ [1]\n")
    assert second.split("both games\n")[1] == "│ [2]"
    assert third.split("game 1\n")[1].startswith("│ [3]\n")
    assert third.split("game 2\n")[1] == "│ [4]"
    assert said.endswith("  lost    Player 1 Eve\\x1b[2J\n")


def test_what_is_long_is_cut_until_it_is_asked_for(arena: Arena, games: str) -> None:
    short = arena("diff", "1", "2", "--db", games).stdout
    full = arena("diff", "1", "2", "--full", "--db", games).stdout

    assert "  … 4,450 more characters; --full shows them\n" in short
    assert "\n… 12 more turns; --full shows them\n" in short
    assert "\nturn 22 ──" not in short
    assert "--full shows" not in full
    assert "\nturn 22 ──" in full
    assert full.count("x") > 5000


def test_no_text_can_act_or_pass_for_a_game_or_a_result(arena: Arena, games: str) -> None:
    for command in (["diff", "1", "2"], ["diff", "2", "1", "--full"], ["show", "2"]):
        said = arena(*command, "--db", games).stdout
        assert not {*"\x1b\x07\u202e"} & {*said}
        assert "\n│ ──── game 2 ────\n│ Player 0 won\n" in said
        assert "\n──── game 2" not in said


def test_a_game_that_ends_earlier_has_no_such_turn(arena: Arena, games: str) -> None:
    said = arena("diff", "1", "3", "--db", games).stdout

    assert "the first 2 turns are the same\nturn 2: game 3 has no such turn\n" in said
    assert "Player 0 Ann" in said.split("\nturn 2 ──")[1]


def test_games_of_different_rules_are_not_compared_turn_by_turn(arena: Arena, games: str) -> None:
    with get_session(games) as session:
        repo = Repository(session)
        other = repo.create_game()
        assert other.id is not None
        for index in range(3):
            repo.add_game_player(game_id=other.id, agent_id=1, player_index=index)
            repo.update_game_player(other.id, index, rank=index)
        repo.finish_game(other.id, winning_team="Player 0")

    lines = arena("diff", "1", str(other.id), "--db", games).stdout.splitlines()

    said = "two games of different rules: their turns have nothing to do with each other"
    assert said in lines
    assert "turn 0" not in "".join(lines)
    assert [line for line in lines if line.endswith(" won")] == [
        "Player 0 Ann won", "Player 0 Ann won",
    ]  # fmt: skip
    assert len(lines) < 20


def test_a_game_does_not_differ_from_itself(arena: Arena, games: str) -> None:
    assert "no difference in 4 turns" in arena("diff", "1", "1", "--db", games).stdout


def test_an_observation_that_differs_is_shown_around_the_place(arena: Arena, games: str) -> None:
    with get_session(games) as session:
        agents = [*Repository(session).get_agents()]
        parted = record(session, agents[:2], "[5]", "[1]", "[2]")
        repo = Repository(session)
        shown = repo.create_game()
        assert shown.id is not None
        for index in range(2):
            repo.add_game_player(shown.id, agents[index].id or 0, index)
        before = "all that was said before: " * 9
        repo.add_game_turn(shown.id, 0, 0, f"{before}\x1b[2Jnow", "[5]")

    said = arena("diff", str(parted), str(shown.id), "--db", games).stdout

    assert "no turn is the same\nturn 0: the player is shown something else\n" in said
    assert f"  game {parted}, from character 174 of 234:\n  ┆ " in said
    assert f"  game {shown.id}, from character 174 of 241:\n  ┆ " in said
    assert "before: \\x1b[2Jnow\n" in said
    assert "The game is running." in said


def test_the_comparison_is_data_in_json(arena: Arena, games: str) -> None:
    found = json.loads(arena("diff", "1", "2", "--db", games, "--json").stdout)

    assert (found["common"], found["branched_at"], len(found["turns"])) == (1, 1, 22)
    assert found["difference"]["what"] == "action"
    assert found["turns"][0]["second"]["action"] == EVIL


def test_a_game_that_is_not_there_is_said(arena: Arena, games: str) -> None:
    result = arena("diff", "1", "99", "--db", games)

    assert result.exit_code == 2
    assert "there is no game 99; `arena games` lists them" in result.stderr


def test_branches_are_listed_by_their_parent_and_name_it(arena: Arena, games: str) -> None:
    def listed(*options: str) -> list[int]:
        rows = json.loads(arena("games", "--db", games, "--json", *options).stdout)["games"]
        return [row["game_id"] for row in rows]

    assert listed("--parent", "1") == [2]
    assert listed("--parent", "1", "--status", "void") == []
    assert listed("--parent", "1", "--agent", "Bob") == []
    assert listed("--parent", "2") == []
    table = arena("games", "--db", games).stdout
    assert "branch of" in table
    assert "1, turn 1" in table
    shown = arena("show", "2", "--db", games).stdout
    assert shown.startswith("Game 2\nbranch of game 1, live from turn 1\n")
    assert shown.index("[0]") < shown.index("live from here on ──") < shown.index("Player 0 won")

    missing = arena("games", "--db", games, "--parent", "99")
    assert missing.exit_code == 2
    assert "there is no game 99" in missing.stderr
