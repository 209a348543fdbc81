"""Three Ray nodes on this machine, for all tests of the folder."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from torture.ray_nodes import NODES, ray_nodes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def loopback_nodes() -> None:
    """Several nodes of one machine have an address of their own each."""
    if sys.platform != "linux":
        pytest.skip("only Linux has loopback addresses for several nodes")


@pytest.fixture(scope="session")
def ray_address(loopback_nodes: None) -> Iterator[str]:
    """HOST:PORT of the head of a cluster that this process has joined."""
    with ray_nodes({}) as address:
        import ray

        ray.init(
            address=address,
            _node_ip_address=NODES[0],
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
        try:
            yield address
        finally:
            ray.shutdown()
