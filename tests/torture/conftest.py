"""One harness for all: the process that commands are forked from takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from torture.harness import Harness


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("torture"), seed=3) as made:
        yield made
