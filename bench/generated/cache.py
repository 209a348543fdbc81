"""Where generated databases are kept, so that they are made once."""

from __future__ import annotations

import os
from dataclasses import astuple
from pathlib import Path
from uuid import uuid4

from bench.generated.making import Scale, generate
from db.schema import HEAD

# Goes up when the same scale gives other rows.
VERSION = 1


def folder() -> Path:
    """The folder of databases: $ARENA_BENCH_CACHE, else in the user's cache."""
    chosen = os.environ.get("ARENA_BENCH_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llm-arena-bench"


def cached(scale: Scale) -> Path:
    """The file of a scale, made unless it is there; one of an earlier release is deleted."""
    home = folder()
    home.mkdir(parents=True, exist_ok=True)
    name = "-".join(str(int(number)) for number in astuple(scale))
    file = home / f"{name}.{VERSION}.{HEAD}.db"
    if not file.exists():
        for old in home.glob(f"{name}.*"):
            old.unlink()
        making = home / f"{uuid4().hex}.making"
        try:
            generate(making, scale)
            making.replace(file)
        finally:
            for rest in home.glob(f"{making.name}*"):
                rest.unlink()
    return file
