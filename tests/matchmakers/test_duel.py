"""Two agents on common seeds, swapped, until the test decides: not one game more at any pace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest

from arena.core import Casting, Pairing, Part, RatedPlayer, Result, Standings, UsageError
from arena.matchmakers.duel import Duel, DuelOptions, score_of
from tests.matchmakers.asking import alone, mafia

A, B, FIELD = 7, 8, (11, 12, 13)
Play = Callable[[Pairing], tuple[RatedPlayer, ...] | None]


def duel(
    num_players: int = 2,
    *,
    games: int = 1000,
    agents: Sequence[int] = (A, B),
    casting: Casting | None = None,
    **options: Any,
) -> Duel:
    return Duel(
        agents=agents,
        num_players=num_players,
        games=games,
        seed=1,
        options=options,
        casting=casting or alone(num_players),
    )


def known(
    scheduled: Sequence[Pairing], settled: Mapping[int, tuple[RatedPlayer, ...] | None]
) -> Standings:
    """The standings after the settled games before the first that is open."""
    frontier = 0
    while frontier in settled:
        frontier += 1
    return Standings(
        agents=(A, B),
        mean=np.zeros(2),
        covariance=np.eye(2),
        dollars=np.full(2, np.nan),
        settled=frontier,
        scheduled=scheduled,
        results=[
            Result(scheduled[place], players)
            for place in range(frontier)
            if (players := settled[place]) is not None
        ],
    )


def run(
    make: Callable[[], Duel], play: Play, *, at_once: int, lots: int = 0, anew: bool = False
) -> list[Pairing]:
    """Play a tournament with so many games at once, which end in an order by lot; with `anew`, by
    a matchmaker that is made again each time, as when runs are resumed."""
    matchmaker, order = make(), Random(lots)
    scheduled: list[Pairing] = []
    settled: dict[int, tuple[RatedPlayer, ...] | None] = {}
    running: list[Pairing] = []
    while True:
        while found := matchmaker.next(known(scheduled, settled), 1000):
            scheduled += found
        waiting = [
            game for game in scheduled if game.schedule_index not in settled and game not in running
        ]
        running += waiting[: at_once - len(running)]
        if not running:
            return scheduled
        ended = running.pop(order.randrange(len(running)))
        settled[ended.schedule_index] = play(ended)
        if anew:
            matchmaker = make()


def ranked(pairing: Pairing, winner: int) -> tuple[RatedPlayer, ...]:
    """`winner` finishes before everybody else; 0 for a draw."""
    return tuple(
        RatedPlayer(agent, place, int(winner not in (agent, 0)))
        for place, agent in enumerate(pairing.agents)
    )


def by_lot(share: float, void: float = 0.0) -> Play:
    """A wins such a share of the games, decided by the game's place; some come to nothing."""

    def play(pairing: Pairing) -> tuple[RatedPlayer, ...] | None:
        lot = Random(pairing.schedule_index)
        if lot.random() < void:
            return None
        return ranked(pairing, A if lot.random() < share else B)

    return play


def test_two_players_swap_seats_on_one_seed() -> None:
    games = list(duel().next(known([], {}), 6))

    assert [game.schedule_index for game in games] == [0, 1, 2, 3, 4, 5]
    assert [game.block for game in games] == [0, 0, 1, 1, 2, 2]
    for first, second in zip(games[::2], games[1::2], strict=True):
        assert first.seed == second.seed
        assert first.agents == second.agents[::-1]
        assert set(first.agents) == {A, B}
    assert len({game.seed for game in games}) == 3


def test_clones_fill_a_team_each_and_swap() -> None:
    for first, second in blocks(duel(6, casting=mafia, seating="clones")):
        teams = {
            agent: {part.team for part, at in zip(mafia(first.seed), first.agents, strict=True)
                    if at == agent}
            for agent in (A, B)
        }  # fmt: skip
        assert sorted(map(tuple, teams.values())) == [("Mafia",), ("Village",)]
        assert second.agents == tuple(B if agent == A else A for agent in first.agents)


def test_opposite_sides_swap_among_an_unmoved_field() -> None:
    roles = set()
    for first, second in blocks(
        duel(6, casting=mafia, seating="opposite", agents=(A, B, *FIELD)), 120
    ):
        parts = mafia(first.seed)
        assert parts[first.agents.index(A)].team != parts[first.agents.index(B)].team
        assert [second.agents.index(B), second.agents.index(A)] == [
            first.agents.index(A),
            first.agents.index(B),
        ]
        others = [agent if agent in FIELD else None for agent in first.agents]
        assert others == [agent if agent in FIELD else None for agent in second.agents]
        assert set(filter(None, others)) == set(FIELD)
        roles.add(parts[first.agents.index(A)].role)
    assert roles == {"Mafia", "Doctor", "Detective", "Villager"}


def test_mirrored_at_a_larger_table_takes_every_two_places() -> None:
    places = set()
    for first, second in blocks(duel(4, agents=(A, B, *FIELD)), 120):
        places.add(frozenset((first.agents.index(A), first.agents.index(B))))
        assert sorted(first.agents) == sorted(second.agents)
        assert first.agents.index(A) == second.agents.index(B)
    assert len(places) == 6


def test_mirrored_among_teams_never_puts_the_two_on_one() -> None:
    teams = [part.team for part in three_teams(0)]
    for pair in blocks(duel(6, agents=(A, B, *FIELD, 15, 16), casting=three_teams), 60):
        for game in pair:
            assert teams[game.agents.index(A)] != teams[game.agents.index(B)]


def blocks(matchmaker: Duel, games: int = 40) -> list[tuple[Pairing, Pairing]]:
    scheduled: list[Pairing] = []
    while len(scheduled) < games:
        # As if no game had a result: nothing is decided, and the schedule goes on.
        settled = dict.fromkeys(range(len(scheduled)))
        scheduled += matchmaker.next(known(scheduled, settled), games - len(scheduled))
    return list(zip(scheduled[::2], scheduled[1::2], strict=True))


@pytest.mark.parametrize("test", ["gsprt", "evalue"])
@pytest.mark.parametrize("share", [0.45, 0.75])
def test_exactly_the_games_needed_are_played_at_any_pace(test: str, share: float) -> None:
    options = {"test": test, "games": 100} | ({"h1": 0.65} if test == "gsprt" else {})
    play = by_lot(share)

    alone_ = run(lambda: duel(**options), play, at_once=1)
    for at_once in (7, 50):
        assert run(lambda: duel(**options), play, at_once=at_once, lots=at_once) == alone_
    assert run(lambda: duel(**options), play, at_once=9, anew=True) == alone_

    sequential = DuelOptions.read({k: v for k, v in options.items() if k != "games"})
    scores = [
        (score_of(A, B, play(first) or ()) + score_of(A, B, play(second) or ())) / 2
        for first, second in zip(alone_[::2], alone_[1::2], strict=True)
    ]
    verdicts = [sequential.sequential(100).verdict(scores[:n]) for n in range(len(scores) + 1)]
    assert [verdict.decided for verdict in verdicts[:-1]] == [False] * len(scores)
    assert verdicts[-1].decided or len(alone_) == 100


def test_many_games_run_at_once_while_nothing_can_be_decided() -> None:
    first = duel().next(known([], {}), 1000)

    assert len(first) == 2 * DuelOptions().sequential(1000).fewest(()) > 10


def test_a_block_that_lost_a_game_to_a_fault_does_not_count_and_is_made_up_for() -> None:
    play, options = by_lot(0.75, void=0.2), {"h1": 0.65, "games": 400}

    games = run(lambda: duel(**options), play, at_once=1)
    assert run(lambda: duel(**options), play, at_once=12, lots=3) == games

    whole = [
        (score_of(A, B, first) + score_of(A, B, second)) / 2
        for one, other in zip(games[::2], games[1::2], strict=True)
        if (first := play(one)) and (second := play(other))
    ]
    assert 2 * len(whole) < len(games) < 400
    test = DuelOptions(h1=0.65).sequential(400)
    assert test.verdict(whole).decided
    assert not test.verdict(whole[:-1]).decided


def test_the_most_games_end_it_undecided() -> None:
    assert len(run(lambda: duel(games=10), by_lot(0.5), at_once=4)) == 10


def test_a_fixed_size_plays_its_games_whatever_they_bring() -> None:
    assert len(run(lambda: duel(games=30, test="fixed"), by_lot(1.0), at_once=8)) == 30


def test_no_room_is_no_game_and_little_room_is_one_block() -> None:
    assert duel().next(known([], {}), 0) == ()
    assert len(duel().next(known([], {}), 1)) == 2
    assert len(duel().next(known([], {}), 5)) == 4
    assert duel().lag is None


def test_the_score_is_by_place_and_a_draw_is_half() -> None:
    pairing = Pairing(0, 0, 1, (A, B, 11))
    assert score_of(A, B, ranked(pairing, A)) == 1.0
    assert score_of(A, B, ranked(pairing, B)) == 0.0
    # Somebody else won, and the two share what is left.
    assert score_of(A, B, ranked(pairing, 11)) == 0.5


def three_teams(seed: int) -> Sequence[Part]:
    return [Part(None, team) for team in ("red", "red", "blue", "blue", "green", "green")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seeting": "clones"}, "has no option `seeting`: did you mean `seating`?"),
        ({"seating": "clone"}, "seating is `clone`: did you mean `clones`?"),
        ({"test": "peeking"}, "test is `peeking`: expected gsprt, evalue or fixed"),
        ({"h0": 0.6}, "h0 is 0.6 and h1 is 0.55, expected h0 below h1"),
        ({"h1": 1.0}, "h1 is 1, expected a score of A between 0 and 1"),
        ({"h0": float("nan")}, "h0 is nan, expected a score"),
        ({"alpha": 0.5}, "alpha is 0.5, expected an error rate above 0 and below 0.5"),
        ({"beta": 0}, "beta is 0, expected an error rate"),
        ({"alpha": "5 %"}, "alpha is '5 %', expected a number"),
        ({"games": 7}, "7 games are no whole blocks of 2.*choose 6 or 8 games"),
        ({"games": 1}, "choose 2 games"),
        ({"agents": (A,)}, "1 agents, expected two"),
        ({"agents": (A, A)}, "an agent is entered twice"),
        ({"agents": (A, B, 11)}, "no seat is left for a field in a game of 2 players"),
        ({"seating": "opposite", "agents": (A, B, 11), "num_players": 3}, "needs teams"),
        ({"num_players": 3}, "has 1 more seats: enter further agents as the field"),
        ({"num_players": 1}, "no place for two agents"),
        (
            {"seating": "clones", "num_players": 6, "casting": three_teams},
            "needs two teams that hold every player, here are 3",
        ),
    ],
)
def test_what_makes_no_duel_is_refused_at_once(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        duel(**options)


def test_whoever_watches_sees_the_verdict_on_the_blocks_so_far() -> None:
    """A wins both games of two blocks, one of two, and none of one."""
    matchmaker = duel(test="gsprt", h0=0.4, h1=0.6)
    scheduled = [*matchmaker.next(known([], {}), 20)]
    winners = [A, A, A, A, A, B, B, A, B, B]
    results = [Result(game, ranked(game, won)) for game, won in zip(scheduled, winners)]  # noqa: B905

    (nothing,) = matchmaker.evidence([])
    assert (nothing.a, nothing.b, nothing.blocks, nothing.statistic) == (A, B, 0, None)
    (half,) = matchmaker.evidence(results[:5])
    assert half.counts == (0, 0, 0, 0, 2)
    (found,) = matchmaker.evidence(results)
    verdict = DuelOptions.read({"h0": 0.4, "h1": 0.6}).sequential(1000).verdict([1, 1, 0.5, 0.5, 0])
    assert found.counts == (1, 0, 2, 0, 2)
    assert (found.statistic, found.bounds) == (verdict.statistic, verdict.bounds)
    assert (found.estimate, found.interval) == (0.6, verdict.interval)
    assert not found.decided


def test_a_test_that_looks_once_shows_nothing_before() -> None:
    matchmaker = duel(test="fixed", games=6)
    scheduled = [*matchmaker.next(known([], {}), 6)]
    results = [Result(game, ranked(game, A)) for game in scheduled]

    (early,) = matchmaker.evidence(results[:4])
    assert (early.blocks, early.counts, early.statistic, early.estimate) == (2, (), None, None)
    (ended,) = matchmaker.evidence(results)
    assert (ended.blocks, ended.counts, ended.estimate) == (3, (0, 0, 0, 0, 3), 1.0)
