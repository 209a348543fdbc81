"""Everything that is looked at, in the order in which it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from arena.config import TournamentConfig, load
from arena.core import ArenaError
from arena.doctor.databases import of_database
from arena.doctor.diagnosis import Diagnosis
from arena.doctor.machine import of_machine
from arena.doctor.models import of_models
from arena.doctor.plugins import of_plugins


def examine(
    url: str | None = None, file: Path | None = None, *, online: bool = False
) -> Iterator[Diagnosis]:
    """Look at a database, this machine, the plug-ins and the keys; with a tournament's `file` at
    what that asks for. Nothing is changed, and nothing is sent unless `online`: then every model's
    host is connected to."""
    config: TournamentConfig | None = None
    if file is not None:
        try:
            config = load(file)
            models = ", ".join(model.name for model in config.models)
            yield Diagnosis("file", "ok", f"{file}: {config.games:,} games, models {models}")
        except ArenaError as error:
            yield Diagnosis("file", "wrong", str(error))
    yield from of_database(url)
    yield from of_machine(config)
    yield from of_plugins()
    yield from of_models(config, online=online)
