"""The proof of comparisons measures what the tests really do."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from arena.stats.evalue import EValue
from arena.stats.fixed import FixedSize
from arena.stats.gsprt import GSPRT
from proof.compare import (
    Duel,
    Runs,
    block,
    covered,
    evalue,
    fixed,
    gather,
    gsprt,
    luck,
    mean_variance,
    measure,
    moments,
    once,
    peeking,
    run,
    sequential,
)

EQUAL, BETTER = Duel("equal", luck=0.27), Duel("better", 0.65, luck=0.27)


def test_a_pair_has_the_score_it_is_made_for_and_the_luck_that_832_games_need() -> None:
    assert sum(block(EQUAL)) == pytest.approx(1.0)
    assert moments(BETTER)[0] == pytest.approx(0.65)
    # Without luck from the seed a pair is two independent games, won 64.7 % and 45.3 %.
    assert moments(Duel("", 0.55, 0.6))[1] == pytest.approx(0.1188, abs=1e-4)
    assert 0.2 < luck(832) < 0.3
    assert luck(616) > luck(832)


@pytest.mark.parametrize(
    ("rule", "test"),
    [
        (partial(gsprt, test=GSPRT(0.5, 0.65)), GSPRT(0.5, 0.65, most=200)),
        (partial(evalue, test=EValue()), EValue(most=200)),
        (partial(evalue, test=EValue(side="greater")), EValue(side="greater", most=200)),
    ],
)
def test_what_is_simulated_is_what_the_test_itself_says(rule, test) -> None:  # type: ignore[no-untyped-def]
    for seed in range(6):
        runs = run(rule, block(BETTER), 1, 200, seed)

        draws = np.random.default_rng(seed)
        steps = np.cumsum(block(BETTER))[:-1]
        places = np.concatenate(
            [np.searchsorted(steps, draws.random((1, 50)))[0] for _ in range(4)]
        )
        verdict = test.verdict([float(place) / 4 for place in places])

        assert verdict.blocks == runs.blocks[0]
        assert (verdict.favours == 1) == runs.won[0]


def test_the_fixed_size_is_simulated_as_it_is_tested() -> None:
    runs = fixed(block(BETTER), 40, 5, 3)

    for counts, won in zip(runs.counts.astype(int), runs.won, strict=True):
        verdict = FixedSize(40).verdict(np.repeat(np.arange(5) / 4, counts).tolist())
        assert (verdict.favours == 1) == won


def false(runs: Runs) -> float:
    return float((runs.won | runs.lost).mean())


def test_peeking_finds_what_is_not_there_and_betting_does_not() -> None:
    peeked = run(peeking, block(EQUAL), 200, 400, 1)
    bet = run(partial(evalue, test=EValue()), block(EQUAL), 200, 400, 1)

    assert false(peeked) > 0.2
    assert false(bet) < 0.06
    assert covered(bet, 0.5) > 0.94


def test_mean_and_variance_of_a_few_blocks_give_the_better_up_too_soon() -> None:
    better = block(Duel("better", 0.55, luck=0.27))
    exact = partial(gsprt, test=GSPRT())

    assert run(mean_variance, better, 300, 600, 1).lost.mean() > 0.12
    assert run(exact, better, 300, 600, 1).lost.mean() < 0.08


def test_the_exact_test_keeps_its_error_rates_with_few_games() -> None:
    rule = partial(gsprt, test=GSPRT(0.5, 0.65))

    equal, better = run(rule, block(EQUAL), 400, 300, 1), run(rule, block(BETTER), 400, 300, 2)

    assert equal.won.mean() < 0.08
    assert better.won.mean() > 0.92
    assert covered(better, 0.65) > 0.95
    assert better.blocks.mean() < 35


@pytest.mark.slow
def test_the_result_depends_on_the_seed_and_not_on_the_processes() -> None:
    p = block(BETTER)
    jobs = [(partial(sequential, peeking, p, 60), 20), (partial(once, p, 10), 9)]

    alone, together, other = gather(jobs, 1, 1), gather(jobs, 1, 2), gather(jobs, 2, 1)

    assert [runs.counts.tolist() for runs in alone] == [runs.counts.tolist() for runs in together]
    assert alone[0].counts.tolist() != other[0].counts.tolist()
    assert [len(runs.won) for runs in alone] == [20, 9]


def test_a_small_proof_has_every_figure_with_its_promise() -> None:
    part = measure(scale=0.004, processes=1)

    promised = [figure for figure in part.figures if figure.met is not None]
    false = [figure for figure in promised if figure.what.startswith("false positives")]
    assert len(false) == 16
    assert all(figure.most == 0.05 for figure in false)
    assert sum(figure.value for figure in false) / 16 < 0.12
    assert {row[0] for row in part.tables[0].rows} >= {"gsprt", "fixed", "peeking: never do this"}
    assert "832 games" in part.setting
