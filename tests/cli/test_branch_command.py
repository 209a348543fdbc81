"""A game is played on with another agent, and what came of it is said in sentences."""

from __future__ import annotations

import io
import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from arena.cli.branch import parse_seats
from arena.cli.branch_report import BranchView, sentences
from arena.core import UsageError
from arena.orchestrator import Stop
from arena.replay.branch import BranchProgress, BranchReport
from tests.cli.commands import Arena

REPORT = BranchReport(
    game_id=12,
    turn=17,
    seats={2: "Naive"},
    player=2,
    team="Village",
    described="Village, the team of player 2,",
    branches=(61, 62, 63, 64),
    controls=(65, 67, 68),
    share=0.25,
    share_interval=(0.046, 0.699),
    control_share=2 / 3,
    control_interval=(0.21, 0.94),
    effect=-0.417,
    effect_interval=(-0.8, 0.24),
    recorded_share=1.0,
    void=0,
    cost=0.5,
)


@pytest.fixture
def db(played: str, tmp_path: Path) -> str:
    """A copy of the small tournament's database: branches are written into it."""
    return shutil.copyfile(played, tmp_path / "branched.db").as_posix()


def numbers(arena: Arena, db: str, *options: str) -> list[int]:
    rows = json.loads(arena("games", "--db", db, "--json", *options).stdout)["games"]
    return [row["game_id"] for row in rows]


def other(arena: Arena, db: str, player: int) -> str:
    """An agent that did not sit at this place of game 1."""
    game = json.loads(arena("show", "1", "--db", db, "--json").stdout)
    seated = game["players"][player]["agent"]
    return next(name for name in ("Ann", "Bob", "Cy") if name != seated)


@pytest.mark.slow
def test_branches_are_played_and_the_way_to_look_further_is_said(arena: Arena, db: str) -> None:
    before = arena("leaderboard", "--db", db, "--json").stdout
    new = other(arena, db, 1)

    result = arena("branch", "1", "--turn", "2", "--set", f"1={new}", "--times", "2", "--db", db)

    assert result.exit_code == 0, result.stderr
    first, branches, controls, won, effect = result.stdout.splitlines()
    assert first == f"game 1 from turn 2 on, where player 1 is {new}"
    assert branches == "branches: games 7 and 9"
    assert controls == "controls: games 8 and 10"
    assert won.startswith("player 1 won ")
    assert " of the controls; in the recorded game it " in won
    assert effect.startswith("the effect is ")
    assert "4/4 games" in result.stderr
    assert "actual over predicted, 4 games (90 % interval): calls " in result.stderr
    assert f"to compare: arena diff 1 7 --db {db}" in result.stderr
    assert f"to read: arena show 7 --db {db}" in result.stderr

    assert numbers(arena, db, "--parent", "1") == [10, 9, 8, 7]
    assert arena("leaderboard", "--db", db, "--json").stdout == before
    difference = json.loads(arena("diff", "1", "7", "--db", db, "--json").stdout)
    assert difference["branched_at"] == 2
    assert difference["common"] >= 2
    assert "live from here on ──" in arena("show", "7", "--db", db).stdout


def test_without_controls_the_share_stands_alone(arena: Arena, db: str) -> None:
    new = other(arena, db, 0)

    result = arena(
        "branch", "1", "--turn", "0", "--set", f"0={new}", "--no-control", "--db", db, "--json"
    )

    report = json.loads(result.stdout)
    assert (report["branches"], report["controls"]) == ([7], [])
    assert report["effect"] is None
    assert report["seats"] == {"0": new}
    assert report["finished"] == [7]
    assert (report["estimate"]["games"], report["estimate"]["compared"]) == (1, 1)
    calls = report["estimate"]["calls"]
    assert calls["actual"] == len(
        json.loads(arena("show", "7", "--db", db, "--json").stdout)["turns"]
    )
    assert calls["low"] < calls["predicted"] < calls["high"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--turn", "2", "--set", "Ann"], "--set expects PLAYER=AGENT, such as 2=Sharp; found"),
        (["--turn", "2", "--set", "-1=Ann"], "--set expects PLAYER=AGENT"),
        (["--turn", "2", "--set", "1="], "--set expects PLAYER=AGENT"),
        (["--turn", "2", "--set", "1=Ann", "--set", "1=Bob"], "--set 1=... is given twice"),
        (["--turn", "2", "--set", "1=Anne"], "unknown agent 'Anne'; did you mean 'Ann'?"),
        (["--turn", "2", "--set", "2=Ann"], "game 1 has players 0 to 1, found player 2"),
        (["--turn", "99", "--set", "1=Ann"], "game 1 has turns 0 to "),
        (["--turn", "-1", "--set", "1=Ann"], "--turn"),
        (["--turn", "1"], "--set"),
        (["--set", "1=Ann"], "--turn"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_said_and_nothing_is_played(
    arena: Arena, played: str, options: list[str], said: str
) -> None:
    result = arena("branch", "1", *options, "--db", played)

    assert result.exit_code == 2
    assert said in result.stderr
    assert numbers(arena, played, "--parent", "1") == []


def test_a_game_that_is_not_there_is_said(arena: Arena, played: str, tmp_path: Path) -> None:
    asked = ["branch", "99", "--turn", "1", "--set", "1=Ann", "--db"]

    assert "there is no game 99; `arena games` lists them" in arena(*asked, played).stderr
    assert "there is no database at" in arena(*asked, tmp_path / "none.db").stderr
    assert [*tmp_path.iterdir()] == []


def test_interrupted_branches_say_what_resumes_them(
    arena: Arena, db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AtOnce(Stop):
        """Somebody presses Ctrl-C as soon as the first game asks whether it goes on."""

        def going(self) -> bool:
            if not self.requested and not pressed:
                pressed.append(True)
                signal.raise_signal(signal.SIGINT)
            return super().going()

    pressed: list[bool] = []
    monkeypatch.setattr("arena.orchestrator.Stop", AtOnce)

    result = arena(
        "branch", "1", "--turn", "1", "--set", f"1={other(arena, db, 1)}", "--times", "50",
        "--concurrency", "1", "--db", db,
    )  # fmt: skip

    assert result.exit_code == 130
    assert "stopping: running games finish their turn" in result.stderr
    new = other(arena, db, 1)
    again = f"arena branch 1 --turn 1 --times 50 --set 1={new} --concurrency 1 --db {db}"
    assert f"interrupted; to go on: {again}" in result.stderr
    assert len(numbers(arena, db, "--parent", "1", "--limit", "200")) == 100
    assert len(numbers(arena, db, "--parent", "1", "--status", "running")) <= 1
    assert "Traceback" not in result.stderr


def test_players_and_agents_are_read_with_spaces_around_them() -> None:
    assert parse_seats([" 2 = Sharp with notes ", "0=a=b"]) == {2: "Sharp with notes", 0: "a=b"}
    with pytest.raises(UsageError, match="²=Sharp"):
        parse_seats(["²=Sharp"])


def test_the_effect_is_a_sentence() -> None:
    assert [*sentences(REPORT, {2: "Naive"})] == [
        "game 12 from turn 17 on, where player 2 is Naive",
        "branches: games 61 to 64",
        "controls: games 65, 67 and 68",
        "Village, the team of player 2, won 25 % (95 %: 4.6 % to 70 %) of the branches, 67 % "
        "(95 %: 21 % to 94 %) of the controls; in the recorded game it won",
        "the effect is −42 points (95 %: −80 to +24): chance alone may explain it",
    ]


@pytest.mark.parametrize(
    ("effect", "bounds", "said"),
    [
        (0.5, (0.1, 0.8), "+50 points (95 %: +10 to +80): more than chance explains"),
        (-0.5, (-0.8, -0.1), "−50 points (95 %: −80 to −10): more than chance explains"),
        (0.0, (-0.3, 0.3), "0 points (95 %: −30 to +30): chance alone may explain it"),
    ],
)
def test_an_effect_beyond_chance_says_so(
    effect: float, bounds: tuple[float, float], said: str
) -> None:
    report = replace(REPORT, effect=effect, effect_interval=bounds)

    assert [*sentences(report, {2: "Naive"})][-1] == f"the effect is {said}"


def test_a_draw_on_record_is_a_share() -> None:
    *_, won, _ = sentences(replace(REPORT, recorded_share=0.5), {2: "Naive"})

    assert won.endswith("in the recorded game it had 50 %")


def test_branches_without_a_result_are_no_share() -> None:
    void = replace(
        REPORT, branches=(), controls=(), share=None, control_share=None, effect=None, void=4
    )

    assert [*sentences(void, {0: "Sharp"})][-1] == "no branch came to an end"


def test_many_branches_are_not_all_listed() -> None:
    many = replace(REPORT, branches=tuple(range(1, 41, 2)))

    assert [*sentences(many, {})][1] == (
        "branches: games 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 and 10 more"
    )


def test_progress_is_a_line() -> None:
    out = io.StringIO()

    with BranchView(lambda: 0.0, out) as view:
        view.update(BranchProgress(done=1, void=0, total=4, turns=9, calls=8, cost=0.0))
        view.update(BranchProgress(done=3, void=1, total=4, turns=30, calls=31, cost=0.25))

    assert out.getvalue().splitlines() == [
        "1/4 games · 9 turns · 8 calls · $0.00",
        "3/4 games · 1 void · 30 turns · 31 calls · $0.2500",
    ]
