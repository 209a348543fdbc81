"""The proof of the rating systems, made small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core import Ratings
from proof import ratings
from proof.ratings import Plan, measure, score
from proof.worlds import DUEL, MAFIA_35, Truth


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two worlds, few games: the same code in two seconds."""
    monkeypatch.setattr(ratings, "COUNTS", (30, 120))
    monkeypatch.setattr(ratings, "LINEUPS", 20)
    few = (200, 150, 0, 0)
    plans = (Plan(MAFIA_35, few, few, few), Plan(DUEL, few, few))
    monkeypatch.setattr(ratings, "PLANS", plans)
    monkeypatch.setattr(ratings, "loadable", lambda: ["probit", "trueskill"])


@pytest.mark.usefixtures("small")
def test_more_games_say_more() -> None:
    part = measure(scale=0.02, processes=1)

    figures = {figure.what: figure for figure in part.figures}
    few, many = (
        figures[f"probit: regret, millinats, {MAFIA_35.name}, {games} games"] for games in (30, 120)
    )
    assert 1.0 < many.value < few.value < 250.0
    assert figures[f"probit: rank correlation, {DUEL.name}, 120 games"].value > 0.6
    coverages = [figure.value for what, figure in figures.items() if "coverage" in what]
    assert all(0.75 <= value <= 1.0 for value in coverages)
    assert len(coverages) == 4
    package = [row for row in part.tables[0].rows if row[0] == ratings.PACKAGE]
    assert len(package) == 1
    assert "seed 1" in part.setting


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_processes_change_nothing() -> None:
    alone, spread = (measure(scale=0.001, processes=count) for count in (1, 2))

    # NaN, the error of a figure that has none, equals nothing.
    assert repr(alone) == repr(spread)


def known(truth: Truth, sd: float) -> Ratings:
    """Ratings that are the truth, with intervals of this standard deviation."""
    agents = len(truth.overall)
    return Ratings(
        system="oracle",
        terms={("agent", str(agent)): agent for agent in range(agents)} | {("side", "First"): 12},
        mean=np.append(truth.overall, truth.world.offsets[0]),
        covariance=np.eye(agents + 1) * sd**2,
    )


def test_the_truth_itself_costs_nothing_and_is_covered() -> None:
    truth = DUEL.truth(np.random.default_rng(1))
    lineups = truth.lineups(50, np.random.default_rng(2))

    sure, off = known(truth, 1e-9), known(truth, 1e-9)
    off = replace(off, mean=off.mean + np.arange(13))

    assert score("oracle", sure, truth, lineups).regret == pytest.approx(0.0, abs=1e-6)
    assert score("oracle", known(truth, 0.1), truth, lineups).coverage == 1.0
    assert score("oracle", sure, truth, lineups).correlation == 1.0
    assert score("oracle", off, truth, lineups).coverage < 0.2
    assert score("oracle", off, truth, lineups).regret > 50.0
