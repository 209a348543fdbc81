"""A tool with an effect outside is on record before it is run, and is never run twice."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from arena.orchestrator import run
from arena.replay.check import check
from db import Database, Recorder, get_session
from db.fold import Fold
from db.leases import Lease
from db.queries.transcript import ToolCallRow, transcript
from db.writer.subject import Record
from db.writer.tools import ToolCalled
from tests.orchestrator.test_tools_run import tooled
from tests.strangers import Install, install

__all__ = ["install"]

BELL = """
    from arena.core.tools import ToolFunction

    class Bell:
        version = 1
        repeatable = False
        functions = (ToolFunction("ring", "Ring a bell."),)

        def __init__(self, *, file):
            self.file = file

        async def call(self, function, arguments, observation):
            with open(self.file, "a") as file:
                file.write("ring\\n")
            return "it rang"
"""


def used(url: str) -> list[ToolCallRow]:
    with get_session(url) as session:
        return [tool for turn in transcript(session, 1) for tool in turn.tools]


@pytest.mark.slow
def test_a_call_that_was_cut_short_is_told_and_not_run_again(
    install: Install, tmp_path: Path
) -> None:
    install(BELL, {"tools": {"bell": "Bell"}})
    rung = tmp_path / "rung"
    config = tooled(
        ("games: 2", "games: 1"),
        ("tools: [notes, votes, calculator, search]", f"tools: [{{bell: {{file: {rung}}}}}]"),
        ("tools: [notes], tool_limits: {calls: 1}", "tools: [votes]"),
    )
    asyncio.run(run(config, url=f"sqlite:///{tmp_path}/entered.db", games=0))
    commits: list[Sequence[Record]] = []

    class Listening(Recorder):
        def append(self, *records: Record) -> asyncio.Future[None]:
            if records:
                commits.append(records)
            return super().append(*records)

    class Listened(Database):
        def recorder(
            self, fold: Fold | None = None, *, lease: Lease | None = None, delegates: bool = False
        ) -> Recorder:
            return Listening(self.url, fold, lease=lease, delegates=delegates)

    with Listened(f"sqlite:///{tmp_path}/whole.db") as database:
        asyncio.run(run(config, url=database))
    calls = [use for use in used(f"sqlite:///{tmp_path}/whole.db") if use.tool == "bell"]
    assert [use.result for use in calls] == ["it rang"] * len(calls)
    assert rung.read_text() == "ring\n" * len(calls)

    # The process ends between the commit of the call and the commit of its result.
    begun = next(
        place
        for place, records in enumerate(commits)
        if any(isinstance(each, ToolCalled) and each.use.result is None for each in records)
    )
    cut = f"sqlite:///{tmp_path}/cut.db"
    shutil.copyfile(tmp_path / "entered.db", tmp_path / "cut.db")
    asyncio.run(_written(commits[: begun + 1], cut))
    rung.unlink()
    asyncio.run(run(config, url=cut))
    first, *later = [use for use in used(cut) if use.tool == "bell"]

    assert (first.error, first.took_ms) == ("interrupted", 0.0)
    assert {use.error for use in later} <= {None}
    assert rung.read_text() == "ring\n" * len(later)
    rung.unlink()
    assert check(1, cut).first_difference is None
    assert not rung.exists()


async def _written(commits: Sequence[Sequence[Record]], url: str) -> None:
    async with Recorder(url) as recorder:
        for records in commits:
            await recorder.append(*records)
