"""Commands come from any installed package by entry point, and none of them can break another."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from arena import registry
from tests.cli.commands import Arena

PACKAGE = {
    "greeting.py": '''
from typing import Annotated

import typer

from arena.core import UsageError


def greet(
    name: str, loud: Annotated[bool, typer.Option("--loud", help="In capitals.")] = False
) -> None:
    """Greet somebody.

    This is not in the list."""
    if not name.strip():
        raise UsageError("expected a name, found nothing: `arena greet Ann`")
    print(name.upper() if loud else name)


guests = typer.Typer(help="Guests: who is greeted.")


@guests.command()
def invite() -> None:
    """Invite everybody."""
    print("all invited")


@guests.command()
def dismiss() -> None:
    """Send everybody home."""


number = 7
''',
    "raising.py": "raise RuntimeError('no licence\\nfound')",
}
POINTS = """\
[arena.commands]
greet = greeting:greet
guests = greeting:guests
absent = nowhere:command
raises = raising:command
number = greeting:number
"""


def install(folder: Path, name: str, points: str) -> None:
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(points)


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an installed package of five commands, three of them broken."""
    for file, text in PACKAGE.items():
        (tmp_path / file).write_text(text)
    install(tmp_path, "stranger", POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_strangers_command_is_listed_and_runs(arena: Arena, stranger: Path) -> None:
    listed = arena("--help").stdout

    assert "Greet somebody." in listed
    assert "This is not in the list" not in listed
    assert "Guests: who is greeted." in listed
    assert arena("greet", "Ann", "--loud").stdout == "ANN\n"
    assert arena("guests", "invite").stdout == "all invited\n"
    assert "In capitals." in arena("greet", "-h").stdout
    refused = arena("greet", " ")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "error: expected a name, found nothing: `arena greet Ann`\n",
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent", "No module named 'nowhere'"),
        ("raises", "RuntimeError: no licence found"),
        ("number", "is 7: expected something to call"),
    ],
)
def test_a_broken_command_is_named_in_a_line(
    arena: Arena, stranger: Path, name: str, reason: str
) -> None:
    tried = arena(name, "--option", "x")

    assert tried.exit_code == 2
    assert tried.stdout == ""
    [line] = tried.stderr.splitlines()
    assert line.startswith(f"error: the command '{name}' of stranger 1.0 (")
    assert reason in line


def test_broken_commands_leave_the_others_alone(arena: Arena, stranger: Path) -> None:
    listed = arena("--help")

    assert listed.exit_code == 0
    for name in ("absent", "raises", "number"):
        assert f"the command '{name}' of stranger 1.0 (" in listed.stdout
    assert "List games, the latest first." in listed.stdout
    assert arena("environments", "list", "--json").exit_code == 0


def test_a_name_that_two_packages_register_is_refused(
    arena: Arena, stranger: Path, tmp_path: Path
) -> None:
    install(tmp_path, "another", "[arena.commands]\ngreet = elsewhere:greet\n")

    refused = arena("greet", "Ann")

    assert refused.exit_code == 2
    assert "by another 1.0 (elsewhere:greet) and stranger 1.0 (greeting:greet)" in refused.stderr


def test_help_lists_first_what_newcomers_type_and_then_by_name(
    arena: Arena, stranger: Path
) -> None:
    listed = re.findall(r"^│ ([a-z]\S*)", arena("--help").stdout, re.MULTILINE)

    first = ["run", "resume", "leaderboard", "games", "show"]
    rest = sorted({*registry.names("commands")} - {*first})
    assert "greet" in rest
    assert listed == first + rest


def test_a_misspelt_command_gets_the_nearest(arena: Arena) -> None:
    assert "Did you mean 'show'?" in arena("shwo").stderr


def test_an_installation_without_commands_says_how_to_mend_it(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "names", lambda group: [])

    refused = arena("games")

    assert refused.exit_code == 2
    assert "`python -m pip install --no-deps --editable .`" in refused.stderr


def test_loading_one_command_imports_no_other() -> None:
    code = """
import sys
from importlib.metadata import entry_points
points = [p for p in entry_points(group="arena.commands") if p.value.startswith("arena.cli.")]
modules = {point.module for point in points}
for point in points:
    for name in [name for name in sys.modules if name.startswith("arena.cli.")]:
        del sys.modules[name]
    point.load()
    print(point.name, *sorted(modules.intersection(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert {"run", "games", "db", "agents"} <= {*loaded}
    assert {name: found for name, found in loaded.items() if " " in found} == {}
