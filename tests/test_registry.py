"""Plug-ins are found by entry point; a wrong name gets the nearest right one, a broken plug-in is
named, and stops only those who name it."""

from __future__ import annotations

import pytest

from arena import registry
from arena.core import PluginError, UsageError
from arena.registry import Group, finding
from tests.strangers import Install, install

__all__ = ["install"]

GROUPS: tuple[Group, ...] = (
    "agents",
    "commands",
    "covariates",
    "environments",
    "executors",
    "matchmakers",
    "pages",
    "providers",
    "ratings",
    "readers",
    "scripted",
)


@pytest.mark.parametrize("group", [group for group in GROUPS if registry.names(group)])
def test_every_registered_plugin_can_be_loaded(group: Group) -> None:
    for name in registry.names(group):
        assert callable(registry.load(group, name))


def test_a_wrong_name_gets_the_nearest_right_one() -> None:
    with pytest.raises(UsageError, match=r"unknown environment 'SecretMafai-v0'.*SecretMafia-v0"):
        registry.load("environments", "SecretMafai-v0")


def test_a_name_that_is_near_nothing_gets_the_list() -> None:
    with pytest.raises(UsageError, match=r"unknown kind 'xyzzy'; known: .*thinking"):
        registry.load("agents", "xyzzy")


@pytest.mark.parametrize("group", GROUPS)
def test_a_plugin_whose_import_raises_is_named_and_hides_no_other(
    group: Group, install: Install
) -> None:
    module = install("import json\njson.loads('{')\n", {group: {"broken": "made"}})
    install("def made(**_): ...\nmade.version = 1\n", {group: {"sound": "made"}}, package="other")

    assert {"broken", "sound"} <= {*registry.names(group)}
    assert callable(registry.load(group, "sound"))
    with pytest.raises(PluginError) as raised:
        registry.load(group, "broken")
    said = str(raised.value)
    assert f"'broken' of stranger 1.2 ({module}:made) raised JSONDecodeError: Expecting" in said
    assert said.endswith(f"do without this {finding._NOUNS[group]}")
    assert "when it was imported; update stranger 1.2, or " in said


@pytest.mark.parametrize("group", GROUPS)
def test_a_plugin_that_is_not_in_its_module_is_named(group: Group, install: Install) -> None:
    module = install("import sys\n", {group: {"absent": "gone"}})
    with pytest.raises(
        PluginError, match=rf"'absent' of stranger 1.2 \({module}:gone\).*no attribute 'gone'"
    ):
        registry.load(group, "absent")


@pytest.mark.parametrize("group", GROUPS)
def test_a_plugin_that_cannot_be_called_is_named(group: Group, install: Install) -> None:
    module = install("thing = 7\n", {group: {"seven": "thing"}})
    with pytest.raises(
        PluginError,
        match=rf"'seven' of stranger 1.2 \({module}:thing\) is 7: expected something to call",
    ):
        registry.load(group, "seven")


@pytest.mark.parametrize("group", GROUPS)
def test_a_name_that_two_packages_register_is_refused_and_both_are_named(
    group: Group, install: Install
) -> None:
    for package in ("first", "second"):
        install("def made(**_): ...\nmade.version = 1\n", {group: {"x": "made"}}, package=package)
    with pytest.raises(
        UsageError,
        match=r"'x' is registered more than once, by first 1.2 \(first_\w+:made\) and second 1.2 "
        r"\(second_\w+:made\): uninstall one of them",
    ):
        registry.load(group, "x")


def test_a_package_that_ends_the_process_when_it_is_imported_does_not(install: Install) -> None:
    install("raise SystemExit(3)\n", {"scripted": {"rude": "reply"}})
    with pytest.raises(PluginError, match=r"'rude' of stranger 1.2 .* raised SystemExit: 3 \("):
        registry.policy("rude")


def test_where_a_plugin_raised_is_said_to_its_author(install: Install) -> None:
    module = install(
        """
        def helper(games):
            return games["nothing"]

        class Mine:
            name = "mine"
            def __init__(self):
                helper({})
        """,
        {"ratings": {"mine": "Mine"}},
    )
    with pytest.raises(PluginError, match=rf"raised KeyError: 'nothing' \({module}.py, line 3\);"):
        registry.rating("mine")


@pytest.mark.parametrize(
    ("version", "shown"),
    [("", "None"), ("thing.version = True", "True"), ("thing.version = 0", "0")],
)
def test_a_kind_without_a_version_is_named(version: str, shown: str, install: Install) -> None:
    install(f"def thing(**_): ...\n{version}\n", {"agents": {"mine": "thing"}})
    with pytest.raises(PluginError, match=rf"has the `version` {shown}: expected a whole number"):
        registry.kind("mine")


@pytest.mark.parametrize(
    ("group", "arguments", "missing"),
    [
        ("ratings", {}, "no `name` and no `fit`"),
        ("environments", {"name": "mine"}, "no `spec` and no `reset` and no `observe`"),
        ("matchmakers", {}, "no `lag` and no `next`"),
    ],
)
def test_what_a_plugin_makes_must_have_the_names_of_its_protocol(
    group: Group, arguments: dict[str, str], missing: str, install: Install
) -> None:
    install("def made(**_):\n    return object()\n", {group: {"mine": "made"}})
    with pytest.raises(PluginError, match=f"'mine' of stranger 1.2 .* made object, .*{missing}"):
        registry.make(group, "mine", **arguments)


def test_an_option_that_an_environment_does_not_take_is_refused_by_name(install: Install) -> None:
    with pytest.raises(UsageError, match=r"SecretMafia-v0.*discusion_rounds"):
        registry.environment("SecretMafia-v0", {"discusion_rounds": 1})

    install("def rules(*, name, heap=3): ...\n", {"environments": {"Heap-v0": "rules"}})
    with pytest.raises(
        UsageError, match=r"'Heap-v0' of .* `name`, `heep`: got an unexpected keyword .*'heep'"
    ) as raised:
        registry.environment("Heap-v0", {"heep": 4})
    assert not isinstance(raised.value, PluginError)
    with pytest.raises(UsageError, match="has no option 'name'"):
        registry.environment("Heap-v0", {"name": "other"})


def test_a_type_error_inside_the_rules_is_their_own_fault_and_not_the_options(
    install: Install,
) -> None:
    module = install(
        """
        class Rules:
            def __init__(self, *, name, heap=3):
                self.heap = heap + "stones"
        """,
        {"environments": {"Heap-v0": "Rules"}},
    )
    with pytest.raises(
        PluginError,
        match=rf"'Heap-v0' of stranger 1.2 \({module}:Rules\) raised TypeError: unsupported operand"
        rf".* \({module}.py, line 4\); update stranger 1.2, or do without this environment",
    ):
        registry.environment("Heap-v0", {"heap": 4})


def test_what_a_plugin_says_for_people_is_left_as_it_is(install: Install) -> None:
    install(
        """
        from arena.core import UsageError

        def rules(*, name, heap=3):
            raise UsageError("a heap is of 1 to 20 stones")
        """,
        {"environments": {"Heap-v0": "rules"}},
    )
    with pytest.raises(UsageError, match=r"^a heap is of 1 to 20 stones$"):
        registry.environment("Heap-v0", {"heap": 99})
