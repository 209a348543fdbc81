"""Errors travel between processes as they are."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from arena.core import (
    ArenaError,
    BudgetReached,
    EnvironmentCrash,
    ModelParked,
    ModelRefused,
    ModelUnproven,
)

WITH_MORE = {
    ModelParked: ("mini", "it only fails"),
    ModelRefused: ("mini", "no such key"),
    ModelUnproven: ("mini", "no such parameter"),
    BudgetReached: ("nothing is left", "mini"),
    EnvironmentCrash: ("boom", "Traceback: boom"),
}


def every(kind: type[ArenaError]) -> Iterator[type[ArenaError]]:
    yield kind
    for narrower in kind.__subclasses__():
        if narrower.__module__ == ArenaError.__module__:
            yield from every(narrower)


@pytest.mark.parametrize("kind", [*every(ArenaError)])
def test_an_error_is_the_same_on_the_other_side(kind: type[ArenaError]) -> None:
    error = kind(*WITH_MORE.get(kind, ("what went wrong",)))

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)
