"""The same seed and actions give the same game: interleaved, and in another process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import partial

import pytest

from arena.environments.textarena import TextArena
from arena.environments.textarena_facts import FAMILIES, facts_of
from arena.testing import check_interleaving
from arena.testing.policies import plausible
from arena.testing.transcript import play

# A digest of a short game of every family: what it is must not depend on the process.
DIGEST = """
import hashlib, sys
from functools import partial
from arena.environments.textarena import TextArena
from arena.testing import plausible, play
for name in sys.argv[1:]:
    make = partial(TextArena, name=name)
    players = make().spec.min_players
    game = play(make, seed=5, num_players=players, policy=plausible, turn_limit=25)
    print(name, hashlib.sha256(repr(game).encode()).hexdigest())
"""


def test_interleaved_games_equal_the_same_games_alone() -> None:
    mafia = [partial(TextArena, name="SecretMafia-v0")] * 40
    others = [
        partial(TextArena, name=name)
        for name in (
            "LiarsDice-v0",
            "KuhnPoker-v0",
            "PigDice-v0",
            "Poker-v0-small",
            "Snake-v0",
            "SettlersOfCatan-v0",
            "Taboo-v0-full",
            "SimpleNegotiation-v0",
            "TwoDollar-v0",
            "MemoryGame-v0",
            "IndianPoker-v0",
            "SpiteAndMalice-v0",
        )
    ]
    check_interleaving([*mafia, *others], seed=3, turn_limit=40)


def test_a_game_does_not_depend_on_what_the_process_drew_before() -> None:
    make = partial(TextArena, name="SecretMafia-v0")
    random.seed(1)
    one = play(make, seed=9, num_players=6, policy=plausible)
    random.seed(2)
    assert play(make, seed=9, num_players=6, policy=plausible) == one
    assert play(make, seed=10, num_players=6, policy=plausible) != one


@pytest.mark.slow
def test_games_do_not_depend_on_the_hash_seed() -> None:
    names = [
        name
        for family in sorted(FAMILIES)
        if facts_of(name := f"{family}-v0").python <= sys.version_info
    ]
    digests = [
        subprocess.run(
            [sys.executable, "-c", DIGEST, *names],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.splitlines()
        for hash_seed in ("1", "2")
    ]
    assert len(digests[0]) == len(names)
    assert digests[0] == digests[1]
