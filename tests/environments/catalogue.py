"""The names of environments as parameters of tests: one of every family, the others in a sweep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from arena.environments.textarena_facts import FAMILIES, family_of
from tests.selecting import sampled


def environments(names: Iterable[str]) -> list[Any]:
    """Parameters; an environment whose source needs a newer Python is left out on an older one."""
    return sampled(names, one_in=8, family=family_of, python=_python)


def _python(name: str) -> tuple[int, int]:
    facts = FAMILIES.get(family_of(name))
    return (3, 11) if facts is None else facts.python
