"""Everything registered keeps the protocol: registering is what puts it to this test."""

from __future__ import annotations

import sys

import pytest

from arena import registry
from arena.environments.textarena_facts import FAMILIES, family_of
from arena.testing import check_environment


@pytest.mark.parametrize("name", registry.names("environments"))
def test_it_keeps_the_protocol(name: str) -> None:
    facts = FAMILIES.get(family_of(name))
    if facts is not None and facts.python > sys.version_info:
        pytest.skip(f"needs Python {facts.python}")
    check_environment(registry.environment(name, {}), turn_limit=20)
