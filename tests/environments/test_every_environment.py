"""Everything registered keeps the protocol: registering is what puts it to this test."""

from __future__ import annotations

import pytest

from arena import registry
from arena.testing import check_environment, check_events
from tests.environments.catalogue import environments


@pytest.mark.parametrize("name", environments(registry.names("environments")))
def test_it_keeps_the_protocol(name: str) -> None:
    check_environment(registry.environment(name, {}), turn_limit=20)


@pytest.mark.parametrize("name", environments(registry.names("environments"), every_family=False))
def test_it_tells_every_message_and_how_it_ended(name: str) -> None:
    """Every environment of ours is of TextArena, and tells what all of its games have."""
    check_events(registry.environment(name, {}), turn_limit=200, result=True)
