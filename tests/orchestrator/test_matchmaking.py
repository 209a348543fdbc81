"""A stranger's matchmaker that raises or gives nonsense stops a run with one sentence, in order."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from arena.config import TournamentConfig, parse
from arena.core import ConfigError, Evidence, Part, PluginError
from arena.orchestrator import run
from arena.orchestrator.matchmaking import CheckedMatchmaker
from arena.orchestrator.standings import nothing_known
from tests.strangers import Install, install

__all__ = ["install"]

AGENTS = (4, 7)

BY_TURNS = """
from arena.core import Pairing

class Mine:
    lag = {lag}

    def __init__(self, **spec):
        self.spec = spec

    def next(self, standings, room):
        place = len(standings.scheduled)
        agents = tuple(self.spec["agents"])
        {then}
        return [Pairing(place, place, place, agents)]
"""


def source(then: str = "pass", lag: str = "1") -> str:
    return BY_TURNS.format(lag=lag, then=then)


def checked(name: str) -> CheckedMatchmaker:
    return CheckedMatchmaker(
        name,
        agents=AGENTS,
        num_players=2,
        games=9,
        seed=0,
        options={},
        casting=lambda seed: (Part(), Part()),
    )


def first(name: str) -> object:
    return checked(name).next(nothing_known(AGENTS), 1)


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("return None", "gave None; expected a sequence of pairings"),
        ("{}[place]", r"raised KeyError: 0 \(stranger_\w+.py, line 13\) when choosing the next"),
        ("raise SystemExit(0)", "raised SystemExit: 0"),
        ("return [agents]", r"gave \(4, 7\) for place 0 of the schedule; expected a Pairing"),
        ("place = 7", "gave place 7 of the schedule where place 0 is next"),
        ("agents = (4, 7, 4)", "seated 3 agents at place 0 of the schedule; 2 play"),
        ("agents = (4, 8)", "seated 8 at place 0 of the schedule, which is no agent"),
        ("return [Pairing(0, 0, -1, agents)]", "gave the seed -1 for place 0"),
        (
            "return [Pairing(0, 0, 1, agents), Pairing(1, 1, 1, agents)]",
            "gave 2 pairings; at most 1",
        ),
    ],
)
def test_what_is_no_pairing_is_told_with_the_matchmakers_name(
    then: str, said: str, install: Install
) -> None:
    install(source(then), {"matchmakers": {"mine": "Mine"}})
    with pytest.raises(PluginError, match=rf"the matchmaker 'mine' of stranger 1.2 .*{said}"):
        first("mine")


def test_a_lag_that_is_none_is_told(install: Install) -> None:
    install(source(lag="0"), {"matchmakers": {"mine": "Mine"}})
    with pytest.raises(PluginError, match="has the lag 0; expected None or a whole number from 1"):
        first("mine")


@pytest.mark.parametrize("version", ["0", "True", "'1.2'"])
def test_a_version_that_is_none_is_told(version: str, install: Install) -> None:
    install(source(lag=f"1; version = {version}"), {"matchmakers": {"mine": "Mine"}})
    with pytest.raises(PluginError, match=r"has the version .*; expected a whole number from 1"):
        first("mine")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("[Evidence(4, 7, 'gsprt', 3)]", (Evidence(4, 7, "gsprt", 3),)),
        ("{}[0]", ()),
        ("[self.spec]", ()),
        ("None", ()),
    ],
)
def test_what_is_only_shown_stops_nobody(
    told: str, shown: tuple[Evidence, ...], install: Install
) -> None:
    watched = f"    def evidence(self, results):\n        return {told}\n"
    made = source() + watched
    install(made.replace("Pairing\n", "Evidence, Pairing\n", 1), {"matchmakers": {"mine": "Mine"}})

    asked = checked("mine")
    assert asked.evidence([]) == asked.evidence([]) == shown
    assert len(asked.next(nothing_known(AGENTS), 1)) == 1


def tournament() -> TournamentConfig:
    return parse(
        {
            "name": "strange",
            "environment": {"name": "TicTacToe-v0", "players": 2},
            "games": 6,
            "concurrency": 2,
            "matchmaker": {"name": "mine"},
            "models": [{"name": "random", "litellm_model": "scripted/random"}],
            "prompts": [{"name": "a", "text": "Win."}, {"name": "b", "text": "Win!"}],
            "agents": [
                {"name": "A", "model": "random", "prompt": "a"},
                {"name": "B", "model": "random", "prompt": "b"},
            ],
        }
    )


def test_one_that_raises_at_once_is_told_before_anything_is_written(
    install: Install, tmp_path: Path
) -> None:
    install(source("1 / 0"), {"matchmakers": {"mine": "Mine"}})
    with pytest.raises(ConfigError, match=r"'mine' of .* raised ZeroDivisionError"):
        asyncio.run(run(tournament(), url=tmp_path / "arena.db"))
    assert not (tmp_path / "arena.db").exists()


def test_one_that_raises_in_the_middle_stops_the_run_and_loses_nothing(
    install: Install, tmp_path: Path
) -> None:
    url = tmp_path / "arena.db"
    broken = install(
        source("if place == 3 and mended == 0: {}['third']") + "\nmended = 0",
        {"matchmakers": {"mine": "Mine"}},
    )

    stopped = asyncio.run(run(tournament(), url=url))

    assert stopped.stopped is not None
    assert f"'mine' of stranger 1.2 ({broken}:Mine) raised KeyError: 'third'" in stopped.stopped
    assert "\n" not in stopped.stopped
    assert (stopped.games_completed, stopped.games_left) == (3, 3)
    sys.modules[broken].mended = 1
    rest = asyncio.run(run(tournament(), url=url))
    assert rest.stopped is None
    assert (rest.games_completed, rest.games_left) == (3, 0)
