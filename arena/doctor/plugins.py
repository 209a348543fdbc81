"""What is installed: the plug-ins, each of which is imported, and the extras."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import get_args

from arena import registry
from arena.core import ArenaError
from arena.doctor.diagnosis import Diagnosis

_NAME = "llm-arena"
_EXTRA = re.compile(r"(?P<package>[A-Za-z0-9._-]+).*extra == ['\"](?P<extra>[\w-]+)['\"]")
_FOR_DEVELOPERS = ("dev",)


def of_plugins() -> Iterator[Diagnosis]:
    """Every registered name is loaded, as it is when a tournament names it."""
    working = 0
    for group in get_args(registry.Group):
        for name in registry.names(group):
            try:
                registry.load(group, name)
                working += 1
            except ArenaError as error:
                said = str(error)
                yield Diagnosis("plug-in", "wrong", said, "mend or uninstall its package")
    yield Diagnosis("plug-ins", "ok", f"{working:,} load")
    yield _extras()


def _extras() -> Diagnosis:
    packages: dict[str, list[str]] = defaultdict(list)
    for each in requires(_NAME) or ():
        found = _EXTRA.match(each)
        if found is not None and found["extra"] not in _FOR_DEVELOPERS:
            packages[found["extra"]].append(found["package"])
    missing = sorted(extra for extra, names in packages.items() if not all(map(_there, names)))
    there = ", ".join(sorted(packages.keys() - missing)) or "none"
    if not missing:
        return Diagnosis("extras", "ok", there)
    return Diagnosis(
        "extras",
        "ok",
        f"{there}; not installed: {', '.join(missing)}",
        f"python -m pip install '{_NAME}[{','.join(missing)}]' if you want them",
    )


def _there(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
