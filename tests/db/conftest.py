"""Closes the databases that a test has opened by the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.db.holders import OPEN


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.popitem()[1].close()
