"""The names of environments as parameters of tests: one of every family and one of its twins, the
others in a sweep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from arena.environments.textarena_facts import FAMILIES, family_of
from arena.environments.textarena_faults import MENDED
from tests.selecting import sampled


def environments(names: Iterable[str], *, every_family: bool = True) -> list[Any]:
    """Parameters; an environment whose source needs a newer Python is left out on an older one.
    Without `every_family` the sample is one in sixteen of the names."""
    if not every_family:
        return sampled(names, one_in=16, python=_python)
    return sampled(names, one_in=8, family=_family, python=_python)


def _family(name: str) -> tuple[str, bool]:
    return family_of(name), name.endswith(MENDED)


def _python(name: str) -> tuple[int, int]:
    facts = FAMILIES.get(family_of(name))
    return (3, 11) if facts is None else facts.python
