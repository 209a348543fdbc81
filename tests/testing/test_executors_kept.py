"""Every registered executor keeps the protocol, and the check tells those that do not."""

from __future__ import annotations

import pytest

from arena import registry
from arena.executors.local import LocalExecutor
from arena.testing import ConformanceError, check_executor


@pytest.mark.slow
@pytest.mark.parametrize("name", [each for each in registry.names("executors") if each != "ray"])
def test_a_registered_executor_keeps_the_protocol(name: str) -> None:
    check_executor(lambda concurrency: registry.executor(name, concurrency))


def test_more_at_once_than_there_are_slots_is_told() -> None:
    with pytest.raises(
        ConformanceError, match=r"at most as many at once as there are slots: 3; found 4"
    ):
        check_executor(lambda concurrency: LocalExecutor(concurrency=concurrency + 1))
