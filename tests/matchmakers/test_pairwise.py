"""Every pair is played by turns until it is decided, and the schedule is the same whoever asks."""

from __future__ import annotations

from collections import Counter
from math import log

import pytest

from arena.core import Pairing, Part, RatedPlayer, Result, UsageError, awaited
from arena.matchmakers.pairwise import Pairwise
from arena.testing.matchmakers import check_matchmaker, standings
from tests.matchmakers.asking import mafia

AGENTS = (4, 7, 1)


def alone(seed: int) -> list[Part]:
    return [Part(), Part()]


def made(games: int = 200, **options: object) -> Pairwise:
    return Pairwise(
        agents=AGENTS, num_players=2, games=games, seed=3, options=options, casting=alone
    )


def played(matchmaker: Pairwise, games: int = 200) -> list[Pairing]:
    """Agent 4 beats everybody; 7 and 1 each win as the first player."""
    scheduled: list[Pairing] = []
    results: list[Result] = []
    while True:
        settled = awaited(len(scheduled), matchmaker.lag)
        for pairing in scheduled[len(results) : settled]:
            best = 4 if 4 in pairing.agents else pairing.agents[0]
            seats = [RatedPlayer(a, n, int(a != best)) for n, a in enumerate(pairing.agents)]
            results.append(Result(pairing, tuple(seats)))
        following = matchmaker.next(standings(AGENTS, tuple(scheduled), results, settled), 1)
        if not following:
            return scheduled
        scheduled += following


def test_it_keeps_the_promises_of_every_matchmaker() -> None:
    check_matchmaker(Pairwise, agents=[4, 7, 1, 9], num_players=2, games=60, casting=alone)
    teams = check_matchmaker(Pairwise, agents=AGENTS, num_players=6, games=24, casting=mafia)
    for first, second in zip(teams[::2], teams[1::2], strict=True):
        assert first.seed == second.seed
        assert len(set(first.agents)) == 2
        # Each has a whole team, then the other's.
        swap = dict(zip(sorted(set(first.agents)), sorted(set(first.agents))[::-1], strict=True))
        assert tuple(swap[agent] for agent in first.agents) == second.agents


def test_a_decided_pair_is_not_played_any_more_and_the_others_are() -> None:
    schedule = played(made())
    games = Counter(frozenset(pairing.agents) for pairing in schedule)

    assert len(schedule) == 200
    assert games[frozenset({4, 7})] == games[frozenset({4, 1})] < 40
    assert games[frozenset({7, 1})] > 120
    assert len({pairing.seed for pairing in schedule}) == 100
    assert played(made()) == schedule
    # The lag is the most that is open at once, and so the most that is played for nothing.
    assert made().lag == 12
    fewer = Counter(frozenset(pairing.agents) for pairing in played(made(lag=2)))
    assert fewer[frozenset({4, 7})] < games[frozenset({4, 7})]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"agents": (4,)}, "1 agents, expected two at least"),
        ({"agents": (4, 4)}, "each once"),
        ({"games": 7}, "choose 6"),
        ({"options": {"alpha": 2}}, "`alpha` is 2"),
        ({"options": {"seating": "clones"}}, "no option `seating`"),
        ({"options": {"alhpa": 0.1}}, "did you mean `alpha`"),
        (
            {"num_players": 3, "casting": lambda seed: [Part()] * 3},
            "3 players here are on no teams",
        ),
    ],
)
def test_what_makes_no_pairs_is_refused(change: dict[str, object], said: str) -> None:
    spec = {
        "agents": AGENTS, "num_players": 2, "games": 20, "seed": 1, "options": {}, "casting": alone,
    }  # fmt: skip
    with pytest.raises(UsageError, match=said):
        Pairwise(**(spec | change))  # type: ignore[arg-type]


def test_whoever_watches_sees_how_far_every_pair_is() -> None:
    """4 beats both in twenty blocks each; 7 and 1 have shared ten."""
    matchmaker, results = made(), []
    for block in range(50):
        a, b = ((4, 7), (4, 1), (4, 7), (4, 1), (7, 1))[block % 5]
        for turn, seats in enumerate(((a, b), (b, a))):
            best = 4 if 4 in seats else seats[0]
            players = [RatedPlayer(agent, n, int(agent != best)) for n, agent in enumerate(seats)]
            results.append(Result(Pairing(2 * block + turn, block, block, seats), tuple(players)))

    assert [(pair.blocks, pair.estimate) for pair in matchmaker.evidence([])] == [(0, None)] * 3
    found = matchmaker.evidence(results)
    assert [(pair.a, pair.b) for pair in found] == [*matchmaker.pairs]
    assert [pair.estimate for pair in found] == [1.0, 1.0, 0.5]
    assert [pair.decided for pair in found] == [True, True, False]
    # The next of three pairs would be decided at an e-value of 3 / (3 * 0.05).
    assert found[2].counts == (0, 0, 10, 0, 0)
    assert found[2].bounds[1] == pytest.approx(log(20))
