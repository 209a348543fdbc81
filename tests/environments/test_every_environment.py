"""Everything registered keeps the protocol: registering is what puts it to this test."""

from __future__ import annotations

import sys

import pytest

from arena import registry
from arena.core import UsageError
from arena.environments.textarena_facts import FAMILIES, family_of
from arena.testing import check_environment


@pytest.mark.parametrize("name", registry.names("environments"))
def test_it_keeps_the_protocol(name: str) -> None:
    facts = FAMILIES.get(family_of(name))
    if facts is not None and facts.python > sys.version_info:
        with pytest.raises(UsageError, match="needs Python"):
            registry.environment(name, {})().reset(seed=0, num_players=2)
        return
    check_environment(registry.environment(name, {}), turn_limit=20)
