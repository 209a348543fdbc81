"""One public name means one thing: a name that stands in two modules is listed with a reason."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]

TABLE = "a table keeps the name of the noun that it stores"
EXCEPTIONS = {
    "Agent": TABLE,
    "Environment": TABLE,
    "Skill": "mu and sigma, on both sides of the border between arena and db",
    "Integers": "an array of whole numbers, on both sides of the border between arena and db",
}


def public_names(path: Path) -> set[str]:
    """The classes of a module, and its other names that are written like classes."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {
                target.id
                for target in node.targets
                if isinstance(target, ast.Name)
                and target.id[0].isupper()
                and not target.id.isupper()
            }
    return {name for name in found if not name.startswith("_")}


def test_a_public_name_stands_in_one_module() -> None:
    places = defaultdict(list)
    for folder in ("arena", "db"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in public_names(path):
                places[name].append(path.relative_to(ROOT).as_posix())

    twice = {name: found for name, found in places.items() if len(found) > 1}

    assert {name: twice[name] for name in twice.keys() - EXCEPTIONS.keys()} == {}
    assert EXCEPTIONS.keys() <= twice.keys(), "an exception that is not needed any more"
