"""What is installed: our two packages, whole, and nothing beside them."""

from __future__ import annotations

import subprocess
import tarfile
import tomllib
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.setup.conftest import Installed, build
from tests.setup.shell import ROOT, blocks, type_all

pytestmark = pytest.mark.slow

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_it_holds_both_packages_with_migrations_and_tournaments(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}

    moved = {"migrations": "db/_migrations", "configs": "arena/_configs"}
    expected = set()
    for folder in ("arena", "db", *moved):
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                place = file.relative_to(ROOT / folder).as_posix()
                expected.add(f"{moved.get(folder, folder)}/{place}")
    assert packed == expected
    assert {"arena/py.typed", "db/py.typed", "arena/_configs/quickstart.yaml"} <= packed
    assert {name.split("/")[0] for name in packed} == {"arena", "db"}


def test_it_registers_every_plugin_and_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/entry_points.txt"))
        registered = ConfigParser(delimiters=("=",))
        registered.optionxform = str  # type: ignore[assignment, method-assign]
        registered.read_string(archive.read(name).decode())

    assert dict(registered["console_scripts"]) == PROJECT["scripts"]
    for group, plugins in PROJECT["entry-points"].items():
        assert dict(registered[group]) == plugins


def test_a_source_archive_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    archive = build(ROOT, tmp_path, "sdist")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    again = build(tmp_path / archive.name.removesuffix(".tar.gz"), tmp_path)

    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_every_plugin_can_be_loaded_far_from_the_checkout(
    installed: Installed, tmp_path: Path
) -> None:
    code = (
        "from importlib.metadata import distribution\n"
        "import arena, db\n"
        "for point in distribution('llm-arena').entry_points:\n    point.load()\n"
        "print(arena.__file__, db.__file__)\n"
    )

    done = subprocess.run(
        [installed.bin / "python", "-c", code],
        cwd=tmp_path, env=installed.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip

    places = [Path(place).resolve() for place in done.stdout.split()]
    packages = installed.packages.resolve()
    assert places == [packages / "arena" / "__init__.py", packages / "db" / "__init__.py"]


def test_what_comes_with_it_is_added_to_a_database(installed: Installed, tmp_path: Path) -> None:
    typed = type_all(
        ["arena db seed --db seeded.db", "arena db seed --db seeded.db", "arena templates list "
         "--db seeded.db"],
        tmp_path,
        installed.environment,
    )  # fmt: skip

    assert [(line.command, line.output) for line in typed.values() if line.status] == []
    # The second time: the same command stands for it.
    assert "0 added, " in typed["arena db seed --db seeded.db"].output
    assert "sceptic" in typed["arena templates list --db seeded.db"].output


@pytest.mark.sweep
def test_the_packaged_tournament_is_played_as_the_readme_says(
    installed: Installed, tmp_path: Path
) -> None:
    [block] = [block for block in blocks(ROOT / "README.md") if block.note == "as a package"]
    upgrade, check = "arena db upgrade --db other.db", "arena db check --db other.db"

    typed = type_all([*block.commands, upgrade, check], tmp_path, installed.environment)

    assert [(line.command, line.output) for line in typed.values() if line.status] == []
    assert "6 games" in typed["arena leaderboard"].output
    assert check in typed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arena.db", "other.db"]
