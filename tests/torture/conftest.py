"""One harness for all tests, whose commands are forked from the process that other tests use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from torture.commands import Commands
from torture.harness import Harness


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory, commands: Commands) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("torture"), seed=3, commands=commands) as made:
        yield made
