"""What the page for contributors says of files, lines, commands and imports is so."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from typing import get_args

from arena.registry import Group
from tests.setup.shell import ROOT, blocks

PAGE = ROOT / "CONTRIBUTING.md"
EXAMPLE = ROOT / "docs" / "example-package"
ROW = re.compile(
    r"^\| [^|]+ \| \[[^]]+\]\((?P<file>[^)]+)\) "
    r"\| `(?P<line>[^`]+)` in `(?P<group>[^`]+)` \|$",
    re.MULTILINE,
)


def test_every_row_of_the_table_is_a_line_of_the_example() -> None:
    registered = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"]
    rows = list(ROW.finditer(PAGE.read_text()))

    assert {row["group"] for row in rows} == set(registered)
    for row in rows:
        [(name, place)] = tomllib.loads(row["line"]).items()
        assert registered[row["group"]] == {name: place}
        module, _, noun = place.partition(":")
        file = ROOT / row["file"]
        assert file == EXAMPLE / (module.replace(".", "/") + ".py")
        assert re.search(rf"^(class|def) {noun}\b", file.read_text(), re.MULTILINE)


def test_every_file_that_a_page_links_to_is_there() -> None:
    for page in (PAGE, ROOT / "README.md", ROOT / "docs" / "vocabulary.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_its_commands_name_files_that_are_there() -> None:
    typed, revision = [block for block in blocks(PAGE) if block.language == "sh"]

    assert [command.split()[:3] for command in revision.commands] == [
        ["arena", "db", "upgrade"],
        ["arena", "db", "revision"],
    ]
    assert [command.split()[:2] for command in typed.commands] == [
        ["pip", "install"],
        ["arena", "run"],
    ]
    assert [(ROOT / command.split()[-1]).exists() for command in typed.commands] == [True, True]


def test_every_target_of_make_that_a_page_names_is_one() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in (PAGE, ROOT / "README.md"):
        named = set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE))
        assert named
        assert named <= targets


def test_the_layers_are_the_ones_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [layers] = [c["layers"] for c in contracts["contracts"] if c["type"] == "layers"]
    [drawn] = [block.text for block in blocks(PAGE) if "→" in block.text]

    assert [layer.split() for layer in drawn.split("→")] == [layer.split() for layer in layers]


def test_what_it_names_of_the_arena_exists() -> None:
    for name in set(re.findall(r"`(arena\.[a-z_.]+)`", PAGE.read_text())):
        if name.removeprefix("arena.") in {*get_args(Group)}:
            continue  # a group of entry points
        module, _, attribute = name.rpartition(".")
        found = import_module(module)
        assert hasattr(found, attribute) or import_module(name), name
