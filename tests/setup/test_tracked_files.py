"""The project speaks of itself alone: no machine's paths, no package index, nothing left to do."""

from __future__ import annotations

import re

import pytest

from tests.setup.shell import ROOT, tracked_files

# Written so that this file does not find itself.
UNWANTED = {
    "a machine's path": r"(?<![\w./-])/(?:root|home|Users|work|opt)/\w|\bC:\\\\?Users",
    "a package index": r"pypi[.]org|pythonhosted[.]org|--(?:extra-)?index-url|--find-links",
    "something left to do": r"\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b",
    "a conflict": r"^(?:<{7}|>{7}) ",
}


@pytest.mark.parametrize("what", UNWANTED)
def test_no_file_holds(what: str) -> None:
    pattern = re.compile(UNWANTED[what], re.MULTILINE)
    found = []
    for path in tracked_files():
        if path == ROOT / "tests" / "setup" / "test_tracked_files.py":
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path.relative_to(ROOT)}:{line}: {match[0]!r}")

    assert found == []


def test_every_text_ends_with_a_newline_and_has_no_windows_ones() -> None:
    for path in tracked_files():
        data = path.read_bytes()
        if not data or b"\0" in data:
            continue
        assert data.endswith(b"\n"), path
        assert b"\r\n" not in data, path


def test_the_list_of_files_is_not_empty() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in tracked_files()}

    assert {"README.md", "arena/core/errors.py", "tests/setup/shell.py"} <= names
    assert not any(name.startswith(".venv/") or name.endswith((".pyc", ".db")) for name in names)
