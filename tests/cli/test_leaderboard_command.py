"""`arena leaderboard` and `arena prompts tree`: what is printed, and what is said beside it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena.cli.leaderboard_table import print_boards
from arena.leaderboard import LeaderboardQuery, boards
from arena.leaderboard.calibration import CalibrationBoard, calibrations
from db import Repository, Session, get_session, init_db
from tests.cli.commands import Arena
from tests.leaderboard.table import Sat, Table


@pytest.fixture(scope="module")
def mafia(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Five agents in Mafia-v0; some games are decided by an invalid action."""
    db = tmp_path_factory.mktemp("mafia") / "mafia.db"
    init_db(db)
    draw = random.Random(2)
    with get_session(db) as session:
        table = Table(session)
        table.prompt("plain")
        table.prompt("bold", "plain")
        agents = [
            table.agent(f"{model} {prompt}", model=model, prompt=prompt)
            for model in ("gpt", "claude")
            for prompt in ("plain", "bold")
        ]
        agents.append(table.agent("claude notes", model="claude", kind="remembering"))
        rules = table.environment("Mafia-v0", 4)
        for number in range(60):
            seats = draw.sample(agents, 4)
            won = draw.random() < 0.3 + 0.1 * sum(agents.index(agent) for agent in seats[1:]) / 3
            table.mafia(rules, seats[:1], seats[1:], village_won=won, block=number // 2)
            if number % 6 == 0:
                table.play(
                    rules,
                    Sat(agents[0], 1, "Mafia", "Mafia", decided=True),
                    *(Sat(agent, 0, "Village", "Villager") for agent in agents[1:4]),
                    termination="invalid_action",
                )
    return str(db)


def rows(arena: Arena, *options: str) -> list[dict[str, Any]]:
    result = arena("leaderboard", *options, "--json")
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)["rows"]
    return found


def bins(arena: Arena, *options: str) -> list[dict[str, Any]]:
    result = arena("leaderboard", "--calibration", *options, "--json")
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)["bins"]
    return found


def test_a_table_says_what_each_rating_rests_on(arena: Arena, mafia: str) -> None:
    result = arena("leaderboard", "--db", mafia)

    title, header, _, *lines = result.stdout.splitlines()
    assert title == "Mafia-v0 · 4 players · 70 games · probit"
    assert re.split(r"\s{2,}", header.strip()) == [
        "agent", "rating", "95 %", "ranks", "group", "games", "won", "Mafia", "Village",
        "own error", "others'", "without",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4", "5"]
    assert "an error decided 14 % of these games and touched 14 %" in result.stderr
    assert "without: its rating without the games that an error decided" in result.stderr
    assert "cannot be told apart by that test, even where their 95 % intervals" in result.stderr
    assert "25 is the mean of these 5 agents, a rating the distance to it" in result.stderr
    assert re.search(r"separability \d+ %: \d+ of 10 pairs are told apart", result.stderr)


@pytest.mark.slow
def test_a_second_column_for_results_that_do_not_add_up(arena: Arena, mafia: str) -> None:
    result = arena("leaderboard", "--nash", "--db", mafia)

    assert "nash 95 %" in result.stdout
    assert "the mix of opponents that nothing beats" in result.stderr
    found = rows(arena, "--nash", "--db", mafia)
    assert max(row["nash"] for row in found) <= 0
    assert all(row["nash_low"] <= row["nash"] <= row["nash_high"] for row in found)
    assert 0 < found[0]["lack_of_fit"] <= 1
    assert {row["nash"] for row in rows(arena, "--db", mafia)} == {None}


@pytest.mark.slow
def test_systems_are_held_to_what_they_predicted(
    arena: Arena, mafia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reckoned: dict[str, list[CalibrationBoard]] = {}

    def once(session: Session, query: LeaderboardQuery) -> list[CalibrationBoard]:
        if repr(query) not in reckoned:
            reckoned[repr(query)] = calibrations(session, query)
        return reckoned[repr(query)]

    # The same question is asked twice, for people and for programs, and takes seconds.
    monkeypatch.setattr("arena.leaderboard.calibration.calibrations", once)
    result = arena("leaderboard", "--calibration", "--db", mafia)

    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("Mafia-v0 · calibration · 63 of 70 games\n")
    assert "probit: favourite given" in result.stdout
    assert "the first 7 are only learned from" in result.stderr
    found = bins(arena, "--db", mafia)
    whole = {row["system"]: row for row in found if (row["above"], row["below"]) == (0.5, 1.0)}
    assert {"probit", "trueskill", "trueskill-sides", "openskill"} <= {*whole}
    assert [row["log_loss"] for row in whole.values()] == sorted(
        row["log_loss"] for row in whole.values()
    )
    for name, row in whole.items():
        assert row["difference"] == pytest.approx(row["log_loss"] - row["base_loss"])
        in_bins = [each for each in found if each["system"] == name and each is not row]
        assert sum(each["games_in_bin"] for each in in_bins) == pytest.approx(row["games"])
    refused = arena("leaderboard", "--calibration", "--overall", "--db", mafia)
    assert refused.exit_code == 2
    assert "leave out --overall" in refused.stderr


def test_a_system_may_be_written_as_python_writes_it(arena: Arena, mafia: str) -> None:
    found = rows(arena, "--db", mafia, "--system", "trueskill_sides")

    assert {row["system"] for row in found} == {"trueskill-sides"}


def test_every_column_is_there_in_json(arena: Arena, mafia: str) -> None:
    found = {row["name"]: row for row in rows(arena, "--db", mafia)}

    assert {(row["told_apart"] / 10, row["pairs"]) for row in found.values()} == {
        (found["gpt plain"]["separability"], 10)
    }
    erring = found["gpt plain"]
    assert erring["own_error"] > 0
    assert erring["others_error"] == 0
    assert erring["without_errors"] > erring["rating"]
    assert set(erring["teams"]) == {"Mafia", "Village"}
    assert set(erring["roles"]) == {"Mafia", "Doctor", "Villager"}
    mafia_share = erring["teams"]["Mafia"]
    assert mafia_share["low"] <= mafia_share["share"] <= mafia_share["high"]
    assert erring["cost"] is None
    without = rows(arena, "--db", mafia, "--exclude-errors", "decided")
    assert {row["left_out"] for row in without} == {10}
    assert {row["name"]: row["rating"] for row in without} == pytest.approx(
        {name: row["without_errors"] for name, row in found.items()}
    )


def test_narrow_terminals_get_the_columns_that_matter_most(
    mafia: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with get_session(mafia) as session:
        found = boards(session, LeaderboardQuery())
    headers = {}
    for width in (60, 80, 120):
        monkeypatch.setattr("arena.cli.output._PIPED_WIDTH", width)
        print_boards(found, rates=False, wide=False, limit=50)
        shown = capsys.readouterr()
        assert max(map(len, shown.out.splitlines())) <= width
        headers[width] = shown.out.splitlines()[1].split()
    assert headers[60][:4] == ["agent", "rating", "95", "%"]
    assert "without" in headers[80]
    assert "Village" not in headers[80]
    assert {"Mafia", "Village", "without"} <= {*headers[120]}


def test_a_limit_says_how_many_there_are(arena: Arena, mafia: str) -> None:
    result = arena("leaderboard", "--limit", "2", "--db", mafia)

    assert len(result.stdout.splitlines()) == 5
    assert "the best 2 of 5; --limit shows more" in result.stderr


def test_a_role_has_a_table_of_its_own(arena: Arena, mafia: str) -> None:
    result = arena("leaderboard", "--role", "Doctor", "--db", mafia)

    assert result.stdout.splitlines()[0].endswith("· probit · as Doctor")
    assert "Village" not in result.stdout
    wrong = arena("leaderboard", "--role", "Docter", "--db", mafia)
    assert wrong.exit_code == 2
    assert "did you mean 'Doctor'?" in wrong.stderr


def test_parts_stand_with_what_limits_them(arena: Arena, mafia: str) -> None:
    result = arena("leaderboard", "--by", "model", "--db", mafia)

    _, header, _, *lines = result.stdout.splitlines()
    assert re.split(r"\s{2,}", header.strip())[:6] == [
        "model", "rating", "95 %", "ranks", "group", "agents",
    ]  # fmt: skip
    assert {line.split()[1] for line in lines} == {"claude", "gpt"}
    found = {row["name"]: row for row in rows(arena, "--by", "model", "--db", mafia)}
    assert {name: row["agents"] for name, row in found.items()} == {"claude": 3, "gpt": 2}
    assert all(0 < row["at_best"] < (row["high"] - row["low"]) / 2 for row in found.values())


def test_combinations_that_never_played_are_listed(arena: Arena, mafia: str) -> None:
    result = arena("leaderboard", "--by", "model", "--unplayed", "--db", mafia)

    assert result.exit_code == 0, result.stderr
    assert "Mafia-v0 · combinations that have not played" in result.stdout
    assert len(result.stdout.splitlines()) == 3 + 3
    found = json.loads(
        arena("leaderboard", "--by", "kind", "--unplayed", "--db", mafia, "--json").stdout
    )["combinations"]
    assert {(row["kind"], row["model"], row["prompt"]) for row in found} == {
        ("remembering", "gpt", "plain"),
        ("remembering", "gpt", "bold"),
        ("remembering", "claude", "bold"),
    }


def test_the_tree_of_prompts_says_what_a_fork_changed(arena: Arena, mafia: str) -> None:
    result = arena("prompts", "tree", "--db", mafia)

    plain, bold = result.stdout.splitlines()[3:]
    assert plain.startswith("plain ")
    assert bold.startswith("└ bold ")
    assert re.search(r"[+-]\d+\.\d\d  [+-]\d+\.\d to [+-]\d+\.\d$", bold)
    assert not re.search(r"[+-]\d+\.\d\d ", plain)
    found = json.loads(arena("prompts", "tree", "--db", mafia, "--json").stdout)["prompts"]
    assert [row["forked_from"] for row in found] == [None, "plain"]
    assert found[1]["change"]["mean"] == pytest.approx(found[1]["rating"] - found[0]["rating"])


def test_without_games_there_is_a_word_and_no_table(arena: Arena, sqlite_url: str) -> None:
    result = arena("leaderboard", "--db", sqlite_url)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "note: no game has been rated yet; `arena games` lists the games" in result.stderr
    assert rows(arena, "--db", sqlite_url) == []
    assert "no prompts yet" in arena("prompts", "tree", "--db", sqlite_url).stderr
    with get_session(sqlite_url) as session:
        Repository(session).create_prompt("alone", "Play.")
    tree = arena("prompts", "tree", "--db", sqlite_url)
    assert "not rated" in tree.stdout
    assert "no game has been rated yet" in tree.stderr


def test_ratings_kept_by_hand_are_shown_as_they_are(arena: Arena, sqlite_url: str) -> None:
    with get_session(sqlite_url) as session:
        repo, table = Repository(session), Table(session)
        repo.create_or_update_trueskill(table.agent("Ann"), 30.0, 2.0)
        repo.create_or_update_trueskill(table.agent("Bob", model="b"), 20.0, 2.0)

    result = arena("leaderboard", "--system", "trueskill", "--db", sqlite_url)

    assert result.stdout.splitlines()[0].startswith("rated by hand · ")
    assert [line.split()[1:3] for line in result.stdout.splitlines()[3:]] == [
        ["Ann", "30.00"],
        ["Bob", "20.00"],
    ]


@pytest.mark.slow
def test_hostile_names_are_shown_and_not_obeyed(arena: Arena, tmp_path: Path) -> None:
    evil = "\x1b[2J\u202e\x07[bold]"
    db = tmp_path / "evil.db"
    init_db(db)
    with get_session(db) as session:
        table = Table(session)
        one = table.agent(f"one{evil}", model=f"m{evil}", prompt=f"p{evil}")
        two = table.agent(f"two{evil}", model="n")
        rules = table.environment(f"E{evil}", 2)
        for number in range(6):
            seats = [
                Sat(one, number % 2, f"T{evil}", f"R{evil}"),
                Sat(two, 1 - number % 2, "U", "S"),
            ]
            table.play(rules, *seats)

    for command in (
        ["leaderboard"],
        ["leaderboard", "--wide"],
        ["leaderboard", "--by", "model"],
        ["leaderboard", "--by", "model", "--unplayed"],
        ["leaderboard", "--role", f"R{evil}"],
        ["leaderboard", "--role", f"X{evil}"],
        ["head-to-head"],
        ["head-to-head", "--by", "team"],
        ["head-to-head", "--csv"],
        ["prompts", "tree"],
    ):
        for flags in ([], ["--json"]):
            if "--csv" in command and flags:
                continue
            result = arena(*command, *flags, "--db", db)
            assert result.exit_code == (2 if f"X{evil}" in command else 0), result.stderr
            assert not {*"\x1b\x07\u202e"} & {*result.stdout + result.stderr}, command


def test_errors_that_touched_a_game_can_be_left_out(arena: Arena, tmp_path: Path) -> None:
    db = tmp_path / "touched.db"
    init_db(db)
    with get_session(db) as session:
        table = Table(session)
        rules = table.environment("Mafia-v0")
        one, other = table.agent("Ann"), table.agent("Bob")
        table.play(rules, Sat(one, 0), Sat(other, 1))
        table.play(rules, Sat(one, 0, eliminated_turn=3), Sat(other, 1))
        lost = Sat(one, 1, eliminated_turn=3, decided=True)
        table.play(rules, Sat(other, 0), lost, termination="silence")

    counted = {
        which: arena("leaderboard", "--exclude-errors", which, "--db", db)
        for which in ("decided", "touched")
    }

    assert "2 games" in counted["decided"].stdout
    assert "left out: 1 game that an error decided" in counted["decided"].stderr
    assert "an error decided 0 % of these games and touched 50 %" in counted["decided"].stderr
    assert "1 game" in counted["touched"].stdout
    assert "left out: 2 games that an error touched" in counted["touched"].stderr
    wide = arena("leaderboard", "--wide", "--db", db)
    assert "thrown out" in wide.stdout
    wrong = arena("leaderboard", "--exclude-errors", "none", "--db", db)
    assert wrong.exit_code == 2
    said = " ".join(wrong.stderr.replace("│", " ").split())
    assert "unknown value 'none'; known: decided, touched" in said
    bare = arena("leaderboard", "--exclude-errors")
    assert bare.exit_code == 2
    assert "--exclude-errors" in bare.stderr


def test_a_board_of_several_revisions_says_so(arena: Arena, tmp_path: Path) -> None:
    db = tmp_path / "revisions.db"
    init_db(db)
    with get_session(db) as session:
        table = Table(session)
        rules = table.environment("Mafia-v0")
        one, other = table.agent("Ann"), table.agent("Bob")
        for _ in range(4):
            table.play(rules, Sat(one, 0), Sat(other, 1))
        session.connection().execute(text("UPDATE games SET revision = 2 WHERE id > 1"))

    mixed = arena("leaderboard", "--db", db)
    newest = arena("leaderboard", "--revision", 2, "--db", db)
    games = arena("games", "--revision", 1, "--json", "--db", db)

    told = " ".join((mixed.stdout + mixed.stderr).split())
    assert "(1 in revision 1, 3 in revision 2): --revision 2 ranks those of one alone" in told
    assert "in revision" not in newest.stdout + newest.stderr
    assert "3 games" in newest.stdout + newest.stderr
    assert [game["game_id"] for game in json.loads(games.stdout)["games"]] == [1]


def test_a_board_over_environments_says_what_each_counts_for(arena: Arena, tmp_path: Path) -> None:
    db = str(tmp_path / "two.db")
    init_db(db)
    with get_session(db) as session:
        table = Table(session)
        ann, bob = table.agent("Ann"), table.agent("Bob", model="other")
        table.duel(table.environment("Duel-v0"), ann, bob, 3)
        table.duel(table.environment("Other-v0"), bob, ann, 1)

    alike = arena("leaderboard", "--overall", "--db", db)
    by_games = rows(arena, "--overall", "--weights", "games", "--db", db)
    refused = arena("leaderboard", "--overall", "--weights", "Duel-v0=1", "--db", db)

    assert "which count Duel-v0 50 %, Other-v0 50 % (--weights)" in alike.stderr
    assert by_games[0]["weights"] == {"Duel-v0": 0.75, "Other-v0": 0.25}
    assert refused.exit_code == 2
    assert "says nothing of Other-v0" in refused.stderr
