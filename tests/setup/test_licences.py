"""docs/licences.md lists every package of the lock, as `docs/licences.py` finds it."""

from __future__ import annotations

import re
import runpy
import sys
from importlib.metadata import distribution
from pathlib import Path

from tests.setup.shell import ROOT

PAGE = (ROOT / "docs" / "licences.md").read_text()
WRITER = runpy.run_path(str(ROOT / "docs" / "licences.py"))


def test_every_package_of_the_lock_has_a_licence_on_the_page() -> None:
    rows = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.+?) \| ", PAGE, re.MULTILINE))
    rows.pop("package", None)

    assert [*rows] == WRITER["locked"]()
    assert "not said" not in rows.values()
    assert "GPL" in rows["chess"]


def test_the_page_is_what_the_packages_say() -> None:
    # Another Python has other versions of some packages, which may say it in other words.
    if sys.version_info[:2] == (3, 11):
        assert "\n".join(WRITER["page"]()) + "\n" == PAGE, (
            "type: python docs/licences.py > docs/licences.md"
        )


def test_what_is_under_the_gpl_is_imported_by_its_game_alone() -> None:
    textarena = Path(str(distribution("textarena").locate_file("textarena")))
    imports = re.compile(r"^\s*(import|from) chess\b", re.MULTILINE)

    found = {
        file.relative_to(textarena).parts[:2]
        for folder in (textarena, ROOT / "arena", ROOT / "db")
        for file in folder.rglob("*.py")
        if imports.search(file.read_text())
    }

    assert found == {("envs", "Chess")}
