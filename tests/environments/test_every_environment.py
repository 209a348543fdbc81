"""Everything registered keeps the protocol: registering is what puts it to this test."""

from __future__ import annotations

import pytest

from arena import registry
from arena.testing import check_environment
from tests.environments.catalogue import environments


@pytest.mark.parametrize("name", environments(registry.names("environments")))
def test_it_keeps_the_protocol(name: str) -> None:
    check_environment(registry.environment(name, {}), turn_limit=20)
