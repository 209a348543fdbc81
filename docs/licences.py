"""Writes docs/licences.md: what `requirements.txt` installs, its licences, and what needs it.

python docs/licences.py > docs/licences.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
ARENA = "llm-arena"
# Of the lock's packages for other systems, as their own metadata says it there.
ELSEWHERE = {
    "appnope": "BSD-2-Clause",
    "cffi": "MIT",
    "colorama": "BSD-3-Clause",
    "pycparser": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
}
# Those whose metadata does not say it: from the text that they come with.
TEXTS = {"axe-playwright-python": "MIT"}
INTRODUCTION = """\
The arena is under [Apache-2.0](../LICENSE). This is what `requirements.txt` installs beside it, as
the packages' own metadata says it, and what brings each: the arena itself, an extra, or
development. `python docs/licences.py > docs/licences.md` writes this page.

Under the GPL, the LGPL or the MPL, which ask more than a notice of whoever passes them on:
{copyleft}.

TextArena installs `chess` (GPL-3.0 or later), which only its game of chess imports. Whoever passes
on the arena together with its packages, as in the image of a container, passes on that one too.
"""
# Who passes these on has more to keep to than a notice.
COPYLEFT = re.compile(r"GPL|MPL", re.IGNORECASE)


def locked() -> list[str]:
    """The names of `requirements.txt`, in order."""
    lines = (ROOT / "requirements.txt").read_text()
    return sorted({canonicalize_name(n) for n in re.findall(r"^([\w.-]+)==", lines, re.MULTILINE)})


def licence(package: str) -> str:
    """What the package's metadata says: an SPDX expression, a classifier, or a short text."""
    if package in ELSEWHERE:
        # Also where another package brings a copy of its own.
        return ELSEWHERE[package]
    about = metadata.metadata(package)
    said = about.get("License-Expression") or ""
    classified = [
        line.rsplit(" :: ", 1)[-1]
        for line in about.get_all("Classifier") or []
        if line.startswith("License :: ") and line != "License :: OSI Approved"
    ]
    text = (about.get("License") or "").strip().splitlines()
    return said or ", ".join(classified) or (text[0] if text else TEXTS.get(package, "not said"))


def needed_by() -> dict[str, str]:
    """For each package why it is there: "the arena", the extras that bring it, or "development"."""
    ours = [Requirement(line) for line in metadata.requires(ARENA) or []]
    extras = metadata.metadata(ARENA).get_all("Provides-Extra") or []
    found: dict[str, str] = {}
    for extra in ["", *(e for e in extras if e != "dev"), "dev"]:
        why = {"": "the arena", "dev": "development"}.get(extra, f"`[{extra}]`")
        roots = [r for r in ours if r.marker is None or r.marker.evaluate({"extra": extra})]
        for name in sorted(_closure(roots)):
            said = found.get(name)
            if said is None:
                found[name] = why
            elif said != "the arena" and extra != "dev" and why not in said:
                found[name] = f"{said}, {why}"
    return found


def _closure(roots: list[Requirement]) -> set[str]:
    """The names of these and of all that they need here."""
    seen: set[tuple[str, str]] = set()
    waiting = [(r.name, extra) for r in roots for extra in ["", *r.extras]]
    while waiting:
        name, extra = waiting.pop()
        name = canonicalize_name(name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for line in lines:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed.name, e) for e in ["", *needed.extras]]
    return {name for name, _ in seen}


def page() -> Iterator[str]:
    """The lines of docs/licences.md."""
    why = needed_by()
    said = {name: licence(name) for name in locked()}
    copyleft = [name for name, found in said.items() if COPYLEFT.search(found)]
    yield "# Licences"
    yield ""
    yield INTRODUCTION.format(copyleft=", ".join(copyleft))
    yield "| package | licence | comes with |"
    yield "|---|---|---|"
    for name, found in said.items():
        yield f"| {name} | {found.replace('|', '/')} | {why.get(name, 'other systems')} |"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in page())
