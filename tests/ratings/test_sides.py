"""TrueSkill with sides and roles: the whole covariance against its formula, live against a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from arena.core import Games, RatedPlayer
from arena.core.ratings import BETA, SIGMA
from arena.ratings.gaussian.expectation_propagation import Link, TeamSide, shared
from arena.ratings.gaussian.truncated import draw, win
from arena.ratings.online.live import draw_probability
from arena.ratings.sides import WIDTHS, LiveSides, TrueSkillSides
from arena.ratings.sides_fold import AGENT, AGENT_ROLE, SIDE, SidesState
from arena.ratings.trueskill import TrueSkill, draw_margin

Floats = NDArray[np.float64]

PARTS = ("Mafia", "Mafia", "Doctor", "Villager", "Villager", "Villager")
AGENTS = 8
EFFECTS = [
    *(("agent", str(a)) for a in range(AGENTS)),
    *(("agent:role", str(a), role) for a in range(AGENTS) for role in sorted(set(PARTS))),
    *(("side", role) for role in sorted(set(PARTS))),
]


def mafia(rng: np.random.Generator, *, clones: bool = False) -> list[RatedPlayer]:
    """Two against four, the seats in any order; every fifth game is a draw."""
    agents = rng.integers(AGENTS, size=6) if clones else rng.permutation(AGENTS)[:6]
    ranks = (0, 0) if rng.random() < 0.2 else rng.permutation(2)
    return [
        RatedPlayer(int(agent), int(part != "Mafia"), int(ranks[int(part != "Mafia")]))
        for agent, part in zip(agents, PARTS, strict=True)
    ]


def by_the_formula(
    games: Sequence[Sequence[RatedPlayer]], probability: float
) -> tuple[Floats, Floats]:
    """Mean and covariance of all EFFECTS, one dense update after another."""
    priors = {"agent": AGENT, "agent:role": AGENT_ROLE, "side": SIDE}
    mean = np.zeros(len(EFFECTS))
    covariance = np.diag([priors[term[0]] ** 2 for term in EFFECTS])
    for game in games:
        best = min(game, key=lambda player: player.rank).team
        a = np.zeros(len(EFFECTS))
        for player, part in zip(game, PARTS, strict=True):
            agent = str(player.agent_id)
            for term in (("agent", agent), ("agent:role", agent, part), ("side", part)):
                a[EFFECTS.index(term)] += 1 if player.team == best else -1
        h = covariance @ a
        c = np.sqrt(a @ h + len(game) * BETA**2)
        margin = draw_margin(probability, len(game)) / c
        drawn = len({player.rank for player in game}) == 1
        v, w, _ = draw(a @ mean / c, margin) if drawn else win(a @ mean / c - margin)
        mean = mean + h * v / c
        covariance = covariance - np.outer(h, h) * w / c**2
    return mean, covariance


@pytest.mark.parametrize("clones", [False, True])
def test_two_teams_move_as_the_formula_says(clones: bool) -> None:
    rng = np.random.default_rng(5)
    games = [mafia(rng, clones=clones) for _ in range(200)]
    state = SidesState()

    for game in games:
        state.play(game, PARTS, 0.1)

    ratings = state.ratings()
    mean, covariance = by_the_formula(games, 0.1)
    at = [ratings.terms[term] for term in EFFECTS]
    assert ratings.mean[at] == pytest.approx(mean, abs=1e-9)
    assert ratings.covariance[np.ix_(at, at)] == pytest.approx(covariance, abs=1e-9)
    assert (ratings.covariance == ratings.covariance.T).all()


def test_a_free_for_all_is_the_chain_on_the_joint_distribution() -> None:
    # Two draws and an agent in two teams; nobody has played, so that skills are independent.
    finish = [(1, 0), (2, 1), (3, 1), (1, 2), (4, 2), (5, 3)]
    players = [RatedPlayer(agent, team, rank) for team, (agent, rank) in enumerate(finish)]
    state = SidesState()

    state.play(players, [None] * 6, 0.2)

    variance = SIGMA**2
    sides = [TeamSide({agent: 1}, 0.0, variance + BETA**2) for agent, _ in finish]
    margin = draw_margin(0.2, 2)
    ranks = [rank for _, rank in finish]
    links = [Link(margin, a == b) for a, b in pairwise(ranks)]
    expected = shared(sides, links, dict.fromkeys(range(1, 6), (0.0, variance)), BETA**2)
    mean, covariance = state.skills([1, 2, 3, 4, 5])
    assert mean == pytest.approx([expected[a][0] for a in range(1, 6)], abs=1e-7)
    assert np.diag(covariance) == pytest.approx([expected[a][1] for a in range(1, 6)], abs=1e-7)


def test_a_free_for_all_moves_agents_that_do_not_play_but_are_known_relative_to_one() -> None:
    state = SidesState()
    for _ in range(5):
        state.play([RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 0)], [None, None], 0.5)
    state.play([RatedPlayer(k, k, rank) for rank, k in enumerate((3, 4, 1))], [None] * 3, 0.1)

    mean, _ = state.skills([1, 2, 3])

    # 2 drew with 1 all the time, and 1 has just come last.
    assert mean[0] < mean[1] < -1.0 < 1.0 < mean[2]


def test_one_duel_is_one_game_of_trueskill() -> None:
    state = SidesState()
    players = [RatedPlayer(1, 0, 1), RatedPlayer(2, 1, 0)]

    state.play(players, [None, None], 0.1)

    initial = TrueSkill().initial()
    plain = TrueSkill().rate(players, {1: initial, 2: initial}, 0.1)
    mean, covariance = state.skills([1, 2])
    assert mean + 25.0 == pytest.approx([plain[1].mu, plain[2].mu], abs=1e-12)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([plain[1].sigma, plain[2].sigma])
    # What the one lost the other won: the sum is as uncertain as before.
    assert covariance.sum() == pytest.approx(2 * SIGMA**2)


def tournament(count: int, seed: int = 3) -> tuple[list[list[RatedPlayer]], Games]:
    """Games of Secret Mafia and, every seventh, a free-for-all without roles."""
    rng = np.random.default_rng(seed)
    games, roles = [], []
    names = ["", *sorted(set(PARTS))]
    for number in range(count):
        if number % 7 == 6:
            finish = enumerate(rng.permutation(AGENTS + 2)[:4].tolist())
            games.append([RatedPlayer(agent, k, k) for k, agent in finish])
            roles += [0] * 4
        else:
            games.append(mafia(rng))
            roles += [names.index(part) for part in PARTS]
    seats = Games.of(games)
    return games, Games(
        seats.sizes, seats.agents, seats.teams, seats.ranks, roles=roles, role_names=names
    )


def test_game_by_game_equals_a_fit_bit_for_bit() -> None:
    games, columns = tournament(150)
    state, copies, draws = LiveSides(), [], 0

    for number, game in enumerate(games):
        parts = PARTS if len(game) == 6 else [None] * 4
        state.play(game, parts, draw_probability(number, draws))
        draws += len({player.rank for player in game}) == 1
        if number % 10 == 0:
            # Asking and copying on the way changes nothing.
            state.skills(range(12))
            state.ratings()
            copies.append(state)
            state = state.copy()

    live, fitted = state.ratings(), TrueSkillSides().fit(columns)
    assert dict(live.terms) == dict(fitted.terms)
    assert live.mean.tobytes() == fitted.mean.tobytes()
    assert live.covariance.tobytes() == fitted.covariance.tobytes()
    assert live.games == fitted.games
    assert copies[3].ratings().games[0] < live.games[0]


def test_the_order_of_seats_is_in_no_rating() -> None:
    """Two of four share the second place; they are told apart by games before."""
    found = []
    for seats in ([1, 2, 3, 4], [4, 3, 2, 1], [3, 1, 4, 2]):
        state = SidesState()
        for better, worse in ((2, 3), (1, 4), (2, 4)):
            duel = [RatedPlayer(better, 0, 0), RatedPlayer(worse, 1, 1)]
            state.play(duel, ["a", "b"], 0.1)
        ranks = {1: 0, 2: 1, 3: 1, 4: 1}
        game = [RatedPlayer(agent, place, ranks[agent]) for place, agent in enumerate(seats)]
        state.play(game, [f"role {agent}" for agent in seats], 0.1)
        found.append(state.skills([1, 2, 3, 4]))

    for mean, covariance in found[1:]:
        assert mean == pytest.approx(found[0][0], abs=1e-9)
        assert covariance == pytest.approx(found[0][1], abs=1e-9)


def test_the_skills_of_a_state_are_those_of_its_ratings() -> None:
    games, _ = tournament(40)
    state = LiveSides()
    for game in games:
        state.play(game, PARTS if len(game) == 6 else [None] * 4, 0.05)

    mean, covariance = state.skills(range(9))

    of_ratings, spread = state.ratings().skills(range(9))
    assert mean == pytest.approx(of_ratings, abs=1e-12)
    assert covariance == pytest.approx(spread, abs=1e-9)


def test_an_agent_that_has_not_played_has_the_prior() -> None:
    state = SidesState()
    state.play([RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1)], ["White", "Black"], 0.1)

    mean, covariance = state.skills([1, 77, 77])

    prior = AGENT**2 + 2 * (AGENT_ROLE / 2) ** 2
    assert mean[1] == mean[2] == 0.0
    assert covariance[1] == pytest.approx([0.0, prior, prior])
    assert SidesState().skills([5])[1] == pytest.approx(np.array([[AGENT**2]]))


def test_a_side_that_always_wins_is_not_skill() -> None:
    rng = np.random.default_rng(2)
    state = SidesState()
    for _ in range(100):
        agents = rng.permutation(6).tolist()
        players = [RatedPlayer(agent, int(k > 1), int(k > 1)) for k, agent in enumerate(agents)]
        state.play(players, PARTS, 0.01)

    ratings = state.ratings()

    mean, covariance = ratings.contrasts(range(6))
    assert (np.abs(mean) < 2.0 * np.sqrt(np.diag(covariance))).all()
    sides = {
        term[1]: float(ratings.mean[at]) for term, at in ratings.terms.items() if term[0] == "side"
    }
    assert sides["Mafia"] > 0.0 > sides["Villager"]


def test_games_that_say_nothing_are_counted_and_change_nothing() -> None:
    state = SidesState()
    state.play([RatedPlayer(1, 0, 0), RatedPlayer(2, 0, 0)], [None, None], 0.1)
    state.play([RatedPlayer(1, 0, 0), RatedPlayer(1, 1, 1)], [None, None], 0.1)

    ratings = state.ratings()

    assert ratings.games == {1: 2, 2: 1}
    assert (ratings.mean == 0.0).all()
    assert np.diag(ratings.covariance) == pytest.approx([AGENT**2, SIDE**2, AGENT**2])


@pytest.mark.parametrize(
    ("players", "roles", "probability", "found"),
    [
        ([(1, 0, 0), (2, 1, 1)], [None, None], 0.0, "draw probability 0.0: expected between"),
        ([(1, 0, 0), (2, 0, 1)], [None, None], 0.1, "team 0 has ranks 0 and 1: expected one"),
        ([(1, 0, 0), (2, 1, 1)], ["White"], 0.1, "1 roles for 2 seats: expected one for each"),
    ],
)
def test_what_is_no_game_is_refused_and_leaves_no_trace(
    players: list[tuple[int, int, int]], roles: list[str | None], probability: float, found: str
) -> None:
    state = SidesState()

    with pytest.raises(ValueError, match=found):
        state.play(players, roles, probability)

    assert state.ratings().terms == {}


def test_the_doctor_of_one_environment_is_not_that_of_another() -> None:
    rng = np.random.default_rng(4)
    seats = Games.of([mafia(rng) for _ in range(4)])
    names = ["Doctor", "Mafia", "Villager"]
    games = Games(
        seats.sizes,
        seats.agents,
        seats.teams,
        seats.ranks,
        roles=[names.index(part) for part in PARTS] * 4,
        role_names=names,
        environments=[0, 1, 0, 1],
        environment_names=["Mafia-v0", "Mafia-v1"],
    )

    terms = TrueSkillSides().fit(games).terms

    assert ("side", "Mafia-v0/Doctor") in terms
    assert ("side", "Mafia-v1/Doctor") in terms


def test_it_says_what_its_intervals_leave_out() -> None:
    # 1 and 2 swap places on one seed; 3 is second alone.
    games = Games(
        [2, 2, 2], [1, 2, 2, 1, 1, 3], [0, 1] * 3, [0, 1] * 3, [0, 1] * 3, ["First", "Second"],
        blocks=[5, 5, -1],
    )  # fmt: skip

    unseen, luck = TrueSkillSides().fit(games).notes

    assert unseen.startswith("1 of 3 agents have not had every role or environment")
    assert luck.startswith("2 games share their seed with another")
    swapped = replace(games, agents=[1, 2, 2, 1, 2, 1], blocks=())
    assert TrueSkillSides().fit(swapped).notes == []


def outcomes(ranks: Sequence[Sequence[int]], roles: Sequence[str | None]) -> list[float]:
    """How likely each order of finish was, after the same twenty games, by the evidence."""
    found = []
    for finish in ranks:
        state = SidesState()
        for game in tournament(20)[0]:
            state.play(game, PARTS if len(game) == 6 else [None] * 4, 0.2)
        before = state.evidence
        players = [RatedPlayer(agent, agent, rank) for agent, rank in enumerate(finish)]
        state.play(players, roles, 0.2)
        found.append(float(np.exp(state.evidence - before)))
    return found


def test_the_evidence_of_a_duel_is_the_probability_of_its_result() -> None:
    likely = outcomes([(0, 1), (1, 0), (0, 0)], ["White", "Black"])

    assert sum(likely) == pytest.approx(1.0, abs=1e-12)
    assert min(likely) > 0.01


def test_the_evidence_of_a_free_for_all_is_nearly_the_probability_of_its_order() -> None:
    orders = [*permutations(range(3)), (0, 0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 0)]
    orders += [(0, 1, 1), (1, 0, 1), (1, 1, 0)]

    likely = outcomes([*dict.fromkeys(orders)], [None] * 3)

    # Three ways to share a first or a last place count once for each; EP is off by little.
    assert sum(likely) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("width", "nearest"), [(0.3, (0.25, 0.5)), (3.0, (2.0, 4.0))])
def test_the_width_of_a_pool_is_learnt_from_its_games(
    width: float, nearest: tuple[float, ...]
) -> None:
    rng = np.random.default_rng(4)
    truth = rng.normal(0.0, width * BETA, 12)
    state = LiveSides()
    for _ in range(300):
        one, other = rng.permutation(12)[:2].tolist()
        gap = truth[one] - truth[other] + rng.normal(0.0, BETA * np.sqrt(2.0))
        ranks = (0, 1) if gap > 0.0 else (1, 0)
        state.play([RatedPlayer(one, 0, ranks[0]), RatedPlayer(other, 1, ranks[1])], ["", ""], 0.01)

    weights = dict(zip(WIDTHS, state.weights.tolist(), strict=True))

    assert sum(weights[near * BETA] for near in nearest) > 0.9
    assert sum(weights.values()) == pytest.approx(1.0)


def test_what_is_reported_is_the_mixture_of_the_widths() -> None:
    games, _ = tournament(30)
    state, single = LiveSides(), [SidesState(width) for width in WIDTHS]
    for game in games:
        for each in (state, *single):
            each.play(game, PARTS if len(game) == 6 else [None] * 4, 0.05)

    mean, covariance = state.skills(range(9))

    weights, found = state.weights, [each.skills(range(9)) for each in single]
    second = sum(
        weight * (own + np.outer(middle, middle))
        for weight, (middle, own) in zip(weights, found, strict=True)
    )
    assert mean == pytest.approx(sum(w * m for w, (m, _) in zip(weights, found, strict=True)))
    assert covariance == pytest.approx(second - np.outer(mean, mean), abs=1e-9)
    assert (covariance == covariance.T).all()
