"""A run that waits for answers finds within a heartbeat that its file is gone, and ends."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from db import Database
from db.errors import FileGone
from tests.db.tournaments import tournament


def deleted(file: Path) -> None:
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()


def replaced(file: Path) -> None:
    shutil.copy(file, file.with_name("other.db"))
    file.with_name("other.db").rename(file)


def its_log_deleted(file: Path) -> None:
    file.with_name(f"{file.name}-wal").unlink()


def folder_moved(file: Path) -> None:
    file.parent.rename(file.parent.with_name("elsewhere"))


@pytest.mark.parametrize("happens", [deleted, replaced, its_log_deleted, folder_moved])
def test_a_run_that_only_waits_ends_when_its_file_is_gone(
    sqlite_template: Path, tmp_path: Path, happens: Callable[[Path], None]
) -> None:
    (tmp_path / "here").mkdir()
    file = Path(shutil.copy(sqlite_template, tmp_path / "here" / "arena.db"))
    tournament(str(file))
    waited: list[str] = []

    async def run() -> None:
        with Database(file) as database, database.lease(1) as lease:
            async with database.recorder(lease=lease):
                happens(file)
                try:
                    await asyncio.sleep(3600)
                finally:
                    waited.append("cancelled")

    with pytest.raises(FileGone, match="is now gone or another one: put it back"):
        asyncio.run(asyncio.wait_for(run(), 60))
    assert waited == ["cancelled"]
