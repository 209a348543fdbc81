"""The referee finds what no rules should do; what it finds in ours is on the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena import registry
from arena.core import (
    EnvironmentCrash,
    EnvironmentSpec,
    GameBooks,
    Observation,
    Outcome,
    PlayerResult,
    Step,
    Termination,
)
from arena.environments.textarena_facts import FAMILIES, family_of
from arena.testing.referee import Finding, Law, RulesVerdict, referee, rows

PAGE = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
TOLD = {line for line in PAGE.splitlines() if line.startswith("| `")}
OURS = [
    name for name in registry.names("environments")
    if name.partition("-v0")[0] in FAMILIES and FAMILIES[family_of(name)].python <= (3, 11)
]  # fmt: skip


class Duel:
    """Two players take six turns; the one whose number is the seed's last bit wins. `fault` is
    what is wrong with it."""

    def __init__(self, fault: str = "") -> None:
        self.spec = EnvironmentSpec("Duel-v0", 2, 3, "test", "1")
        self.fault = fault

    def reset(self, *, seed: int, num_players: int) -> None:
        self.seed, self.players, self.turn = seed, num_players, 0

    def observe(self) -> Observation:
        if self.fault == "raises" and self.turn == 2:
            raise EnvironmentCrash("Duel-v0 raised KeyError: 2. The game is void: no fault", "...")
        return Observation(self.turn % self.players, self.turn, "[hit]", "[hit]")

    def prepare(self, action: str) -> str:
        return action

    def step(self, action: str) -> Step:
        self.turn += 1
        return Step(done=self.turn == 6)

    def books(self) -> GameBooks:
        late = self.turn > 3
        return GameBooks(
            conserved={"chips": 5 if self.fault == "chips" and late else 4},
            out=frozenset({0}) if self.fault == "dead" and late else frozenset(),
            late_results=int(self.fault == "late" and late),
            amiss=("a card is twice in the deck",) if self.fault == "amiss" and late else (),
        )

    def outcome(self, *, turn_limit: bool = False) -> Outcome:
        winner = 1 if self.fault == "seat" else self.seed % 2
        won = 1.5 if self.fault == "score" else 1.0
        players = tuple(
            PlayerResult(p, None, None, int(p != winner), won if p == winner else -1.0)
            for p in range(self.players)
        )
        return Outcome(players, Termination.NATURAL, "Six turns.", f"Player {winner}")


@pytest.mark.parametrize(
    ("fault", "law", "what"),
    [
        ("raises", Law.RUNS, "Duel-v0 raised KeyError: 2"),
        ("chips", Law.CONSERVED, "4 chips became 5 in turn 3"),
        ("dead", Law.OUT, "player 0 is out and acts in turn 4"),
        ("late", Law.ONE_RESULT, "a game that was over got a result in turn 3"),
        ("score", Law.SCORES, "a score of 1.5"),
        ("amiss", Law.SANE, "a card is twice in the deck, turn 3"),
        ("seat", Law.SEATS, "player 0 never came first"),
    ],
)
def test_a_law_that_is_broken_is_found(fault: str, law: Law, what: str) -> None:
    (found,) = referee(lambda: Duel(fault)).findings
    assert (found.law, found.what, found.seed) == (law, what, 0)
    assert found.games >= 24


def test_sound_rules_break_nothing() -> None:
    verdict = referee(lambda: Duel())
    assert verdict.findings == ()
    assert (verdict.natural, verdict.games) == (60, 60)


def test_what_an_environment_does_not_show_is_not_looked_at() -> None:
    class Closed(Duel):
        books = None  # type: ignore[assignment]

    assert referee(lambda: Closed("chips"), games=5).findings == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("KuhnPoker-v0", Law.SANE),
        pytest.param("MarketEntryGame-v0", Law.OUT, marks=pytest.mark.sweep),
        ("PublicGoodsGame-v0", Law.OUT),
        pytest.param("SecretMafia-v0", Law.SANE, marks=pytest.mark.sweep),
    ],
)
def test_faults_that_are_mended_are_found_upstream_alone(name: str, law: Law) -> None:
    upstream = referee(registry.environment(name, {}))
    assert law in {found.law for found in upstream.findings}
    assert told_of(name) == found_in(upstream, name)
    assert referee(registry.environment(f"{name}-mended", {})).findings == ()


@pytest.mark.sweep
@pytest.mark.parametrize("name", OURS)
def test_what_is_found_is_on_the_page_and_nothing_else(name: str) -> None:
    verdict = referee(registry.environment(name, {}))
    assert told_of(name) == found_in(verdict, name)
    (played,) = (line for line in TOLD if line.startswith(f"| `{name}` | ") and _cells(line) == 3)
    assert played.endswith(f" | {verdict.natural} of {verdict.games} |")


def test_every_known_fault_is_on_the_page_with_the_environments_that_have_it() -> None:
    for name in registry.names("environments"):
        for fault in registry.environment(name, {})().spec.faults:
            lines = [line for line in PAGE.splitlines() if line.startswith(f"| {fault} | ")]
            assert sum(f"`{name}`" in line for line in lines) == 1


def told_of(name: str) -> set[str]:
    return {line for line in TOLD if line.startswith(f"| `{name}` | ") and _cells(line) == 4}


def _cells(line: str) -> int:
    return line.count(" | ") + 1


def found_in(verdict: RulesVerdict, name: str) -> set[str]:
    return {f"| {' | '.join(row)} |" for row in rows(name, verdict)}


def test_a_finding_is_plain_data() -> None:
    assert Finding(Law.SCORES, "a score of 2", 3, 7).law == "scores are from -1 to 1"
