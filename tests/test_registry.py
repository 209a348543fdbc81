"""Plugins are found by entry point; a wrong name gets the nearest right one."""

from __future__ import annotations

import pytest

from arena import registry
from arena.core import UsageError


def test_every_registered_plugin_can_be_loaded() -> None:
    for group in ("environments", "agents", "matchmakers", "ratings", "executors", "scripted"):
        found = registry.names(group)
        assert found, f"nothing is registered in arena.{group}"
        for name in found:
            assert callable(registry.load(group, name))


def test_a_wrong_name_gets_the_nearest_right_one() -> None:
    with pytest.raises(UsageError, match=r"unknown environment 'SecretMafai-v0'.*SecretMafia-v0"):
        registry.load("environments", "SecretMafai-v0")


def test_a_name_that_is_near_nothing_gets_the_list() -> None:
    with pytest.raises(UsageError, match=r"unknown kind 'xyzzy'; known: .*thinking"):
        registry.load("agents", "xyzzy")


def test_an_option_that_an_environment_does_not_take_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"SecretMafia-v0.*discusion_rounds"):
        registry.environment("SecretMafia-v0", {"discusion_rounds": 1})
