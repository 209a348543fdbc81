"""A dry run says what a tournament may cost, how sure that is, and how far the budget goes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from arena.cli.dry_run import between, budget_line, show_plan, whole
from arena.core import ModelSpec, Pairing, Part
from arena.forecast.cost import Estimate, ForecastInterval, ModelEstimate
from arena.forecast.plan import Plan
from arena.matchmakers.balance import counts
from arena.matchmakers.shortfalls import shortfall
from tests.cli.commands import TOURNAMENT, Arena, Terminal

PLAN = Plan(
    tournament="big",
    environment="SecretMafia-v0",
    players=6,
    games=100,
    games_done=0,
    games_now=100,
    concurrency=50,
    executor="auto",
    matchmaker="round-robin",
    agents=("Ann", "Bob"),
    models=(
        ModelSpec("small", "openai/small", api_key_env="OPENAI_API_KEY"),
        ModelSpec("own", "ollama_chat/own", api_base="http://127.0.0.1:11434"),
    ),
    balance=counts([Pairing(0, 0, 1, (1, 2, 1, 2, 1, 2))], lambda seed: [Part()] * 6),
)
SMALL = ModelEstimate(
    calls=ForecastInterval(900, 1000, 1100),
    prompt_tokens=ForecastInterval(800_000, 1_200_000, 2_000_000),
    response_tokens=ForecastInterval(40_000, 90_000, 200_000),
    dollars=ForecastInterval(5.0, 10.0, 20.0),
    seconds=ForecastInterval(600, 900, 1500),
)


def estimate(**models: ModelEstimate) -> Estimate:
    parts = [*models.values()]
    return Estimate(
        games=100,
        rehearsed=20,
        calls=SMALL.calls,
        prompt_tokens=SMALL.prompt_tokens,
        response_tokens=SMALL.response_tokens,
        dollars=parts[0].dollars,
        seconds=SMALL.seconds,
        models=models,
        notes=("answers of small have 20 to 400 tokens",),
    )


def test_the_figures_stand_beside_their_intervals_per_model_and_in_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_plan(
        replace(PLAN, estimate=estimate(small=SMALL, own=SMALL), budget=6.0), "sqlite:////none.db"
    )

    out = capsys.readouterr().out
    lines = [line.split("  ") for line in out.splitlines()]
    rows = {line[0].strip(): [cell.strip() for cell in line[1:] if cell.strip()] for line in lines}
    assert rows["small"][-4:] == [
        "1,000 (900 to 1,100)",
        "$10.00 ($5.00 to $20.00)",
        "1.20 M (800,000 to 2.00 M)",
        "90,000 (40,000 to 200,000)",
    ]
    assert rows["in all"][1] == "$10.00 ($5.00 to $20.00)"
    assert "time: 15 min 0 s (10 min 0 s to 25 min 0 s)" in out
    assert "the budget of $6.00 is reached after about 60 games (30 to all of them)" in out
    assert "\nanswers of small have 20 to 400 tokens\n" in out
    assert "nothing was played or written" in out


def test_what_is_said_is_of_the_games_that_would_be_played(arena: Arena, tmp_path: Path) -> None:
    """Of twelve games for `--games 3`, and of the rest: the heading, the seats and the estimate."""
    file = tmp_path / "small.yaml"
    file.write_text(TOURNAMENT.replace("games: 6", "games: 12"))
    typed = ("run", file, "--db", tmp_path / "small.db")

    few = arena(*typed, "--dry-run", "--games", "3").stdout
    assert "small: 3 games of TicTacToe-v0 with 2 players\n" in few
    assert "All 3 games were rehearsed" in few
    assert sum(seats(few)) == 2 * 3
    assert "12" not in few

    arena(*typed, "--games", "3")
    rest = arena(*typed, "--dry-run", "--games", "4").stdout
    assert "small: 4 games of TicTacToe-v0 with 2 players, 3 of 12 already played" in rest
    assert "All 4 games were rehearsed" in rest
    assert "with the games that were played already:" in rest
    assert sum(seats(rest)) == 2 * 7


def seats(said: str) -> list[int]:
    """How many games each agent is said to have."""
    found = re.findall(r"^ *\d  (?:Ann|Bob|Cy) +(\d+) ", said, re.MULTILINE)
    assert len(found) == 3
    return [int(games) for games in found]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_every_model_is_named_beside_its_figures_in_any_terminal(
    width: int, terminal: Terminal
) -> None:
    shown = terminal(width)
    show_plan(replace(PLAN, estimate=estimate(small=SMALL, own=SMALL)), "sqlite:////none.db")
    blocks = [block for block in shown.text.split("\n\n") if block.startswith("estimate")]

    for block in blocks:
        assert [line.split()[0] for line in block.splitlines()[2:5]] == ["small", "own", "in"]
    for figure in ("1,000", "1.20 M", "90,000", "$10.00"):
        assert any(figure in block for block in blocks)


def test_what_a_matchmaker_falls_short_of_stands_beside_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_plan(replace(PLAN, shortfall=shortfall("swiss", {}, 6)), "sqlite:////none.db")
    show_plan(PLAN, "sqlite:////none.db")

    out = capsys.readouterr().out
    assert out.count("in simulations of round-robin, ratings are up to 0.2 less exact") == 1


@pytest.mark.parametrize(
    ("dollars", "games", "budget", "spent", "said"),
    [
        ((5, 10, 20), 100, 25, 0, "the budget of $25.00 is enough"),
        ((5, 10, 20), 100, 15, 0, "is enough; at worst it is reached after 75 games"),
        ((5, 10, 20), 100, 6, 0, "is reached after about 60 games (30 to all of them); what runs"),
        ((5, 10, 20), 100, 2, 0, "is reached after about 20 games (10 to 40); what runs then"),
        ((0.5, 1, 2), 10, 2, 0, "the budget of $2.00 is enough"),
        ((5, 10, 20), 100, 3, 1, "$3.00 ($1.00 of it are spent) is reached after about 20 games"),
        ((5, 10, 20), 100, 3, 5, "is reached after about 0 games (0 to 0)"),
        ((0, 0, 0), 100, 3, 0, "the budget of $3.00 is enough"),
        (None, 100, 3, 0, "how far it goes is unknown, because a price is"),
    ],
)
def test_the_budget_is_counted_in_games(
    dollars: tuple[float, float, float] | None, games: int, budget: float, spent: float, said: str
) -> None:
    interval = None if dollars is None else ForecastInterval(*dollars)

    assert said in budget_line(interval, games, budget, spent)


def test_an_interval_without_doubt_is_a_number() -> None:
    assert between(ForecastInterval(3, 3, 3), whole) == "3"
    assert between(ForecastInterval(0.2, 2.0, 4e6), whole) == "2 (0 to 4.00 M)"
    assert whole(3.2e9) == "3.20 G"


def test_a_scripted_tournament_is_estimated_and_costs_nothing(arena: Arena, tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(TOURNAMENT)

    result = arena("run", file, "--db", tmp_path / "none.db", "--dry-run", "--budget", "5")

    assert result.exit_code == 0, result.stderr
    assert "estimate" in result.stdout
    assert "$0.00" in result.stdout
    assert "the budget of $5.00 is enough" in result.stdout
    assert [found.name for found in tmp_path.iterdir()] == ["small.yaml"]


@pytest.mark.parametrize("amount", ["0", "-1", "nan", "inf", "much"])
def test_a_budget_is_dollars_above_nothing(arena: Arena, config: Path, amount: str) -> None:
    result = arena("run", config, "--dry-run", "--budget", amount)

    assert result.exit_code == 2
    assert "--budget" in result.stderr
