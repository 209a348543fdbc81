"""Packages of strangers, as `pip install` leaves them: a module and its entry points."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs a package for one test: `install(source, {"ratings": {"mine": "rate"}})` makes
    `rate` of a module with this source the rating system `mine`. Returns the module's name."""
    made: list[str] = []

    def installed(
        source: str, points: Mapping[str, Mapping[str, str]], *, package: str = "stranger"
    ) -> str:
        module = f"{package}_{uuid.uuid4().hex[:8]}"
        made.append(module)
        folder = tmp_path / "packages" / module
        metadata = folder / f"{package}-1.2.dist-info"
        metadata.mkdir(parents=True)
        (folder / f"{module}.py").write_text(dedent(source))
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2")
        lines = []
        for group, named in points.items():
            lines.append(f"[arena.{group}]")
            lines += [f"{name} = {module}:{attribute}" for name, attribute in named.items()]
        (metadata / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(str(folder))
        return module

    yield installed
    for module in made:
        sys.modules.pop(module, None)
