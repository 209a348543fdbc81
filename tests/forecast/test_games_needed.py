"""What it takes to tell agents apart, from the games on record and before the first of them."""

from __future__ import annotations

import random
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from arena import registry
from arena.config import loads
from arena.core import Games, Part, UsageError
from arena.core.ratings import BETA
from arena.forecast import Outlook, PlanScope, plan_config, plan_top, plan_two
from arena.forecast.game_information import InformationTable, lean_of, spread, stated
from arena.forecast.past_games import PastGames
from arena.orchestrator.lookup import Rules
from db.errors import BadSelection
from db.selection import Selection
from tests.on_record import MAFIA, catalogue, record

TWO = "TicTacToe-v0"
SHARP, NAIVE, RANDOM = 1, 2, 3


@pytest.fixture
def url(sqlite_url: str) -> str:
    catalogue(sqlite_url)
    return sqlite_url


def play(url: str, pairs: list[tuple[int, int, float]], games: int) -> None:
    """Games of each pair in swapped seats; the first of the two wins that share of them."""
    rng, played = random.Random(3), []
    for a, b, share in pairs:
        for game in range(games):
            winner = a if rng.random() < share else b
            seats = (a, b) if game % 2 else (b, a)
            played.append((game, [(agent, None, None, int(agent != winner)) for agent in seats]))
    record(url, TWO, played)


def ways(found: Outlook) -> dict[str, float]:
    return {way.seating: way.forecast.games for way in found.ways}


def test_agents_that_differ_are_told_apart_and_close_ones_take_games(url: str) -> None:
    play(url, [(SHARP, NAIVE, 0.95), (SHARP, RANDOM, 0.55)], 40)

    apart = plan_two(url, "Sharp", "Naive", PlanScope(TWO))
    assert apart.separated
    assert apart.known is not None
    assert 0 < apart.known[1] < apart.known[0] < apart.known[2]
    assert set(ways(apart).values()) == {0.0}

    close = plan_two(url, "Sharp", "Random", PlanScope(TWO))
    assert not close.separated
    assert close.known is not None
    assert close.known[1] < 0 < close.known[2]
    assert (close.games, close.environment, close.players) == (80, TWO, 2)
    by = {way.seating: way.forecast for way in close.ways}
    # Two players have no teams to clone; a duel needs a quarter of the games of a pool.
    assert [*by] == ["mirrored", "random"]
    assert by["random"].games == pytest.approx(4 * by["mirrored"].games, rel=0.05)
    assert by["mirrored"].low < by["mirrored"].games < by["mirrored"].high


def test_more_games_on_record_leave_fewer_to_play(url: str) -> None:
    play(url, [(SHARP, RANDOM, 0.6)], 10)
    before = plan_two(url, "Sharp", "Random", PlanScope(TWO))
    play(url, [(SHARP, RANDOM, 0.6)], 60)
    after = plan_two(url, "Sharp", "Random", PlanScope(TWO))

    assert before.known is not None
    assert after.known is not None
    assert after.known[2] - after.known[1] < before.known[2] - before.known[1]


def test_teams_are_cloned_with_the_fewest_games_by_far(url: str) -> None:
    seats = [(SHARP, "Mafia"), (NAIVE, "Mafia"), *[(RANDOM, role) for role in ("a", "b", "c", "d")]]
    record(
        url,
        MAFIA,
        [
            (seed, [(agent, role, "Mafia" if role == "Mafia" else "Village",
                     int((role == "Mafia") != bool(seed % 3))) for agent, role in seats])
            for seed in range(9)
        ],
    )  # fmt: skip
    found = plan_two(url, "Sharp", "Naive", PlanScope(MAFIA))

    assert [way.seating for way in found.ways] == ["clones", "mirrored", "opposite", "random"]
    # One seat each says a ninth of what three seats a side say.
    assert ways(found)["opposite"] == pytest.approx(9 * ways(found)["clones"], rel=0.2)
    only = plan_two(url, "Sharp", "Naive", PlanScope(MAFIA, seating="opposite"))
    assert [way.seating for way in only.ways] == ["opposite"]


def test_the_top_is_told_apart_from_the_rest(url: str) -> None:
    play(url, [(SHARP, NAIVE, 0.95), (SHARP, RANDOM, 0.95), (NAIVE, RANDOM, 0.5)], 40)

    best = plan_top(url, 1, PlanScope(TWO))
    assert best.separated
    two = plan_top(url, 2, PlanScope(TWO))
    assert not two.separated
    assert two.subject == "the top 2 of 3 agents"
    with pytest.raises(UsageError, match="--top 3: 3 agents have played TicTacToe-v0"):
        plan_top(url, 3, PlanScope(TWO))


def test_an_agent_without_a_game_may_be_anything(url: str) -> None:
    play(url, [(SHARP, NAIVE, 0.5)], 10)
    found = plan_two(url, "Sharp", "Random", PlanScope(TWO))

    assert found.known is not None
    assert found.known[2] - found.known[1] > 2 * 1.96 * BETA
    assert "Random has no game there" in found.notes[0]

    for unplayed in (MAFIA, "Nim-v0"):
        none = plan_two(url, "Sharp", "Random", PlanScope(unplayed))
        assert (none.games, none.separated) == (0, False)


def test_dollars_are_what_the_seats_have_cost() -> None:
    rules, nothing = (
        Rules({"name": "x", "players": 6}),
        registry.rating("probit").fit(Games((), (), (), ())),
    )
    costs = {SHARP: 0.1, NAIVE: 0.3, RANDOM: 0.5}
    rated = PastGames(rules, nothing, games=9, counts=dict.fromkeys(costs, 9), costs=costs)
    pair = (SHARP, NAIVE)

    assert rated.price("clones", pair) == pytest.approx(6 * 0.2)
    assert rated.price("opposite", pair) == pytest.approx(0.1 + 0.3 + 4 * 0.3)
    assert rated.price("random", pair) == pytest.approx(6 * 0.3)
    # A price that is not known is not nothing.
    assert rated.price("clones", (SHARP, 4)) is None
    unknown = replace(rated, costs={**costs, RANDOM: None})
    assert unknown.price("random", pair) is None


FILE = """
name: later
environment: {name: TicTacToe-v0, players: 2}
games: 3000
matchmaker: {name: random}
models:
  - {name: random, litellm_model: scripted/random}
prompts:
  - {name: one, text: "One."}
  - {name: two, text: "Two."}
agents:
  - {name: Ann, model: random, prompt: one}
  - {name: Bob, model: random, prompt: two}
"""


@pytest.mark.sweep
@pytest.mark.slow
def test_a_file_is_planned_before_its_first_game(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'none.db'}"
    found = plan_config(loads(FILE), url=url)

    # z = 1.96 + 1.28 for 90 %, against an edge of 0.178 beta and 2 seats of noise.
    expected = ((1.96 + 1.2816) / 0.12566) ** 2 / (2 / 3.14159)
    mirrored = next(way for way in found.ways if way.seating == "mirrored")
    assert mirrored.forecast.high == pytest.approx(expected, rel=0.01)
    assert mirrored.dollars_per_game == 0.0
    assert "the 3,000 games of the file (random seating) are enough" in found.notes[0]
    assert [*tmp_path.iterdir()] == []

    duel = plan_config(loads(FILE.replace("{name: random}", "{name: duel}", 1)), url=url)
    assert "(mirrored seating)" in duel.notes[0]
    larger = plan_config(loads(FILE), url=url, effect=0.6)
    assert ways(larger)["mirrored"] == pytest.approx(ways(found)["mirrored"] / 4.06, rel=0.05)
    assert plan_config(loads(FILE), url=url, top=1).subject == "the top 1 of 2 agents"
    with pytest.raises(UsageError, match=r"--effect 0\.5: expected a score above"):
        plan_config(loads(FILE), url=url, effect=0.5)
    with pytest.raises(UsageError, match="--top 2: the file has 2 agents"):
        plan_config(loads(FILE), url=url, top=2)


@pytest.mark.parametrize("seating", ["mirrored", "opposite", "clones"])
def test_a_stated_edge_is_seen_as_often_as_it_is_said(seating: str) -> None:
    """By simulation: after `high` games the interval leaves 0 in nine of ten runs."""
    table = InformationTable("x", (1, 1) if seating == "mirrored" else (2, 4), 0.5, BETA)
    [(_, each)] = table.informations(seating)
    edge = table.edge(0.53)
    forecast = stated(edge, each, 0.5)
    rng = random.Random(1)
    for games, share in ((forecast.low, 0.1), (forecast.games, 0.5), (forecast.high, 0.9)):
        sd = (1 / (games * each)) ** 0.5
        seen = sum(rng.gauss(edge, sd) > 1.96 * sd for _ in range(4000)) / 4000
        assert seen == pytest.approx(share, abs=0.03)
    assert forecast.dollars == forecast.games / 2


def test_what_says_nothing_never_tells_apart() -> None:
    assert stated(1.0, 0.0, None).games == inf
    assert spread("random", 0.4, 10, 2) == pytest.approx(0.16)
    assert spread("clones", 0.4, 5, 6) == pytest.approx(0.1)


def test_a_game_without_sides_is_even() -> None:
    assert lean_of([Part(), Part()], None) == 0.5
    assert InformationTable("x", (1, 1, 1), 0.5, BETA).informations("mirrored")[0][1] > 0


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (PlanScope(TWO, seating="clones"), "needs two teams, which TicTacToe-v0 does not have"),
        (PlanScope(TWO, seating="opposit"), "unknown seating 'opposit'; did you mean 'opposite'"),
        (PlanScope(selection=Selection(tournament="cup")), "unknown tournament 'cup'"),
        (PlanScope(), "in which environment"),
        (PlanScope("TicTacTo-v0"), "did you mean 'TicTacToe-v0'"),
    ],
)
def test_what_cannot_be_planned_is_said(url: str, scope: PlanScope, said: str) -> None:
    with pytest.raises((UsageError, BadSelection), match=said):
        plan_two(url, "Sharp", "Naive", scope)


def test_an_agent_is_not_told_apart_from_itself(url: str) -> None:
    with pytest.raises(UsageError, match="told apart from itself"):
        plan_two(url, "Sharp", "Sharp", PlanScope(TWO))
    with pytest.raises(BadSelection, match="did you mean 'Sharp'"):
        plan_two(url, "Sharpe", "Naive", PlanScope(TWO))
