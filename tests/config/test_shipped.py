"""A tournament that comes with the arena is found by its bare name, unless a file is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena import registry
from arena.config import load
from arena.config.shipped import find, folder, names


def test_every_shipped_tournament_is_found_by_its_name_and_can_be_read() -> None:
    assert {"quickstart", "openai-compatible", "hosted"} <= set(names())
    for name in names():
        assert load(find(Path(name))).games > 0


@pytest.mark.parametrize("name", names())
def test_a_shipped_tournament_is_played_by_rules_without_the_faults_that_are_mended(
    name: str,
) -> None:
    rules = load(find(Path(name))).environment
    played = registry.environment(rules.name, rules.options)().spec
    if played.twin is not None:
        twin = registry.environment(played.twin, rules.options)().spec
        assert set(played.faults) <= set(twin.faults), f"{played.twin} has less faults"


def test_a_file_comes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find(Path("quickstart")) == folder() / "quickstart.yaml"

    (tmp_path / "quickstart").touch()

    assert find(Path("quickstart")) == Path("quickstart")


@pytest.mark.parametrize("path", ["mine", "quickstart.yaml", "here/quickstart", "../quickstart"])
def test_every_other_path_is_what_it_is(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find(Path(path)) == Path(path)
