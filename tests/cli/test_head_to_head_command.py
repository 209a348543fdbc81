"""`arena head-to-head`: matrices that a person can read, and rows that a program can."""

from __future__ import annotations

import csv
import io
import itertools
import json

import pytest

from db import get_session, init_db
from tests.cli.commands import Arena, Terminal
from tests.leaderboard.table import Sat, Table


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Ann beat Bob 3:1 in duels; in Mafia-v0 Cid sat alone against both, twice, and won once."""
    db = tmp_path_factory.mktemp("met") / "met.db"
    init_db(db)
    with get_session(db) as session:
        table = Table(session)
        ann, bob, cid = (table.agent(name, model=name) for name in ("Ann", "Bob", "Cid"))
        duel, mafia = table.environment("Duel-v0"), table.environment("Mafia-v0", 3)
        table.duel(duel, ann, bob, 3)
        table.play(duel, Sat(ann, 1, decided=True), Sat(bob, 0), termination="invalid_action")
        for won in (True, False):
            table.mafia(mafia, [cid], [ann, bob], village_won=won)
    return str(db)


def test_rows_score_against_columns(arena: Arena, met: str) -> None:
    result = arena("head-to-head", "--environment", "Duel-v0", "--db", met)

    title, header, _, ann, bob = result.stdout.splitlines()
    assert title == "Duel-v0 · 2 players · 4 games"
    assert header.split() == ["agent", "1", "2"]
    assert ann.split()[:4] == ["1", "Ann", "–", "75"]
    assert bob.split()[:3] == ["2", "Bob", "25"]
    assert "the row's score in percent, and its 95 % interval" in result.stderr


def test_team_mates_have_not_met(arena: Arena, met: str) -> None:
    result = arena("head-to-head", "--environment", "Mafia-v0", "--db", met, "--json")

    found = {(row["agent"], row["against"]): row for row in json.loads(result.stdout)["cells"]}
    assert set(found) == {("Ann", "Cid"), ("Bob", "Cid"), ("Cid", "Ann"), ("Cid", "Bob")}
    cell = found["Cid", "Ann"]
    assert (cell["games"], cell["score"]) == (2, 0.5)
    assert 0 <= cell["low"] < 0.5 < cell["high"] <= 1


def test_roles_and_teams_have_columns(arena: Arena, met: str) -> None:
    teams = arena("head-to-head", "--by", "team", "--db", met)

    assert teams.stdout.splitlines()[0] == "Mafia-v0 · 3 players · 2 games"
    assert teams.stdout.splitlines()[1].split() == ["agent", "Mafia", "Village"]
    rows = json.loads(arena("head-to-head", "--by", "role", "--db", met, "--json").stdout)["cells"]
    assert {(row["agent"], row["role"]) for row in rows} == {
        ("Ann", "Doctor"),
        ("Bob", "Villager"),
        ("Cid", "Mafia"),
    }
    none = arena("head-to-head", "--by", "role", "--environment", "Duel-v0", "--db", met)
    assert none.exit_code == 2
    assert "Duel-v0: no roles are known; leave out --by role" in none.stderr


def test_csv_has_a_line_for_each_cell(arena: Arena, met: str) -> None:
    text = arena("head-to-head", "--csv", "--db", met).stdout

    rows = [*csv.DictReader(io.StringIO(text))]
    assert len(rows) == 2 + 4
    assert float(rows[0]["score"]) == 0.75
    assert rows[0]["environment"] == "Duel-v0"


def test_errors_can_be_left_out(arena: Arena, met: str) -> None:
    result = arena(
        "head-to-head", "--exclude-errors", "decided", "--environment", "Duel-v0", "--db", met
    )

    assert "100 (44 to 100)" in result.stdout
    assert "left out: 1 game that an error decided" in result.stderr


@pytest.mark.parametrize(("width", "fit"), [(20, 2), (40, 1), (80, 4), (100, 5), (400, 12)])
def test_as_many_agents_as_fit_stand_beside_each_other(
    terminal: Terminal, sqlite_url: str, width: int, fit: int
) -> None:
    """Where not one interval fits, scores alone do."""
    with get_session(sqlite_url) as session:
        table = Table(session)
        agents = [table.agent(f"agent {number}", model=f"m{number}") for number in range(15)]
        duel = table.environment("Duel-v0")
        for one, two in itertools.pairwise(agents):
            table.duel(duel, one, two)

    shown = terminal(width).type("head-to-head", "--db", sqlite_url)

    said = f"the first {fit} of 15 columns; --csv and --json have them all"
    assert said in " ".join(shown.text.split())
    assert ("0 (0 to 79)" in shown.text) == (width > 20)
    wide = max(len(line) for line in shown.lines if line and not line.strip("─"))
    further = len("  100 (21 to 100)") if width > 20 else len("  100")
    assert wide <= width < wide + further or fit == 12


def test_nobody_has_met_anybody(arena: Arena, sqlite_url: str) -> None:
    assert "no game has been rated yet" in arena("head-to-head", "--db", sqlite_url).stderr
    with get_session(sqlite_url) as session:
        table = Table(session)
        ann = table.agent("Ann")
        table.duel(table.environment("Duel-v0"), ann, ann)

    result = arena("head-to-head", "--db", sqlite_url)

    assert result.exit_code == 0
    assert "no two agents have played against each other here" in result.stderr
