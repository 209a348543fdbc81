"""A game has its own random numbers, and nobody else notices."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
import textarena

from arena.environments.isolation import IsolatedGenerators
from arena.environments.textarena_facts import FAMILIES


def test_two_games_that_alternate_draw_what_they_draw_alone() -> None:
    one, other = IsolatedGenerators(1), IsolatedGenerators(2)
    drawn: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(5):
        with one:
            drawn[1].append(random.random())
        with other:
            drawn[2].append(random.random())
    for seed, numbers in drawn.items():
        generator = random.Random(seed)
        assert numbers == [generator.random() for _ in range(5)]


def test_seeding_inside_a_game_does_not_reach_outside() -> None:
    before = random.getstate()
    with IsolatedGenerators(1):
        random.seed(99)
        random.random()
    assert random.getstate() == before


def test_the_outside_is_restored_when_the_rules_raise() -> None:
    before, generators = random.getstate(), IsolatedGenerators(1)

    def rules() -> None:
        with generators:
            random.seed(99)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rules()
    assert random.getstate() == before
    with generators:
        assert random.random() == random.Random(99).random()


def test_every_function_of_the_module_is_lent() -> None:
    with IsolatedGenerators(4):
        drawn = [random.random(), random.choice("abc"), random.sample(range(9), 3)]
        drawn += [random.randint(1, 6), random.getrandbits(8), random.gauss(0, 1)]
        numbers = [1, 2, 3, 4]
        random.shuffle(numbers)
    own = random.Random(4)
    expected = [own.random(), own.choice("abc"), own.sample(range(9), 3)]
    expected += [own.randint(1, 6), own.getrandbits(8), own.gauss(0, 1)]
    shuffled = [1, 2, 3, 4]
    own.shuffle(shuffled)
    assert (drawn, numbers) == (expected, shuffled)


def test_no_environment_that_is_offered_took_a_function_out_of_the_module() -> None:
    taken = re.compile(r"^\s*from random import|^\s*(import random as|from numpy.random)", re.M)
    root = Path(textarena.__file__).parent
    sources = [*root.glob("*.py")]
    for family in FAMILIES:
        sources += root.glob(f"envs/{family}/*.py")
    assert len(sources) > 100
    assert [path for path in sources if taken.search(path.read_text(encoding="utf-8"))] == []


def test_numpys_global_generator_is_swapped_when_asked() -> None:
    np.random.seed(5)
    expected = np.random.RandomState(5).randint(1_000)
    generators = IsolatedGenerators(7, numpy=True)
    with generators:
        first = np.random.randint(1_000)
    assert np.random.randint(1_000) == expected
    assert first == np.random.RandomState(7).randint(1_000)


def test_what_rules_print_does_not_reach_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with IsolatedGenerators(1):
        print("Parsed letter sequence")
    print("data")
    assert capsys.readouterr().out == "data\n"
