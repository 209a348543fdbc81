"""Which tests a run takes: a sample of the long forms or, with `--sweep`, all of them.

What a run leaves out is deselected, never skipped, and counted in one line at its end. What is
slow comes first, so that no worker is left alone with it; the tests of a file stay with one worker,
so that what they share is made once.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# Of the slow tests that run on both databases, and of the cases of one, one in so many runs on
# PostgreSQL too; where the database is the subject, every one does.
TWINS = 4
OF_DATABASES = "tests/db/"
# Folders whose files share what takes longest to make: servers of pages with their browser, and a
# cluster. One worker has each of them, and begins with it.
TOGETHER = ("tests/viewer/chromium/", "tests/executors/clusters/")
# Of the other files theirs are the longest.
OF_CHECKOUTS = "tests/setup/"

EXAMPLES = 25
"""That a property is tried with, outside of a sweep."""

LEFT_OUT = pytest.StashKey[Counter[str]]()


def sampled(
    values: Iterable[Any],
    *,
    one_in: int,
    family: Callable[[Any], object] | None = None,
    python: Callable[[Any], tuple[int, int]] | None = None,
) -> list[Any]:
    """Parameters of a test, of which one in `one_in` is not only for `--sweep`, and at least one of
    every family. Which ones follows from the values alone, the same on every machine.

    `python` is the first version that can run the test with a value.
    """
    values = list(values)
    by_family: dict[object, list[Any]] = {}
    for value in values:
        by_family.setdefault(family(value) if family else None, []).append(value)
    kept = {value for members in by_family.values() for value in _sample(members, one_in)}
    parameters = []
    for value in values:
        marks = [] if value in kept else [pytest.mark.sweep]
        if python is not None:
            marks.append(pytest.mark.python(*python(value)))
        parameters.append(pytest.param(value, marks=marks))
    return parameters


def _sample(values: list[Any], one_in: int) -> list[Any]:
    """Those whose hash is a multiple of `one_in`, or else the one whose hash is smallest."""
    digests = {str(value): _digest(value) for value in values}
    first = min(values, key=lambda value: digests[str(value)])
    return [v for v in values if digests[str(v)] % one_in == 0] or [first]


def _digest(value: object) -> int:
    return int.from_bytes(blake2b(str(value).encode(), digest_size=8).digest(), "big")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than the machine has processors: some test always waits for a process, a lease or a
    browser."""
    return (os.cpu_count() or 1) + 1


class ByFile(LoadScopeScheduling):
    """Gives a worker the tests of a whole file, or of a folder that stays together, in the order of
    the run."""

    def _split_scope(self, nodeid: str) -> str:
        folder = next((folder for folder in TOGETHER if nodeid.startswith(folder)), None)
        return folder or nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    if config.getoption("dist") != "loadfile":
        return None
    # The fullest file first is not the slowest first.
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sweep", action="store_true", help="run every test, where a run takes a sample otherwise"
    )


def pytest_configure(config: pytest.Config) -> None:
    # Nothing follows from what earlier runs left in a folder. A sweep draws other examples each
    # time, and more, where a test does not say how many it needs; it prints how to draw a failing
    # one again.
    sweep = config.getoption("--sweep")
    settings.register_profile(
        "arena",
        database=None,
        deadline=None,
        derandomize=not sweep,
        max_examples=100 if sweep else EXAMPLES,
        print_blob=True,
    )
    settings.load_profile("arena")


def pytest_itemcollected(item: pytest.Item) -> None:
    callspec = getattr(item, "callspec", None)
    fixtures = [*getattr(item, "fixturenames", ()), *(callspec.params.values() if callspec else ())]
    if any(isinstance(name, str) and name.endswith("postgresql") for name in fixtures):
        item.add_marker(pytest.mark.postgresql)


def _thin_twins(items: Iterable[pytest.Item]) -> None:
    """Of the tests on PostgreSQL that have a twin on SQLite, which is always run, a sample stays:
    of slow ones, and of the cases of one test at least one."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if _is_twin(item):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for twins in cases.values():
        kept = [item for item in twins if _digest(item.nodeid) % TWINS == 0]
        if len(twins) > 1:
            kept = kept or [min(twins, key=lambda item: _digest(item.nodeid))]
        elif twins[0].get_closest_marker("slow") is None:
            kept = twins
        for item in twins:
            if item not in kept:
                item.add_marker(pytest.mark.sweep)


def _is_twin(item: pytest.Item) -> bool:
    return (
        item.get_closest_marker("postgresql") is not None
        and not {"database_url", "empty_database_url"}.isdisjoint(getattr(item, "fixturenames", ()))
        and not item.nodeid.startswith(OF_DATABASES)
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _thin_twins(items)
    reasons = {item: _why_not(item, sweep=config.getoption("--sweep")) for item in items}
    left_out = [item for item, reason in reasons.items() if reason]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    config.stash[LEFT_OUT] = Counter(reason for reason in reasons.values() if reason)
    items[:] = sorted(
        (item for item, reason in reasons.items() if not reason),
        key=lambda item: (
            item.get_closest_marker("slow") is None,
            not item.nodeid.startswith(TOGETHER),
            not item.nodeid.startswith(OF_CHECKOUTS),
        ),
    )


def _why_not(item: pytest.Item, *, sweep: bool) -> str:
    """Why a test is left out, or nothing."""
    needed = max((mark.args for mark in item.iter_markers("python")), default=(3, 0))
    if sys.version_info < needed:
        return f"need Python {'.'.join(map(str, needed))}"
    return "" if sweep or item.get_closest_marker("sweep") is None else "are for --sweep"


def pytest_sessionfinish(session: pytest.Session) -> None:
    # A worker tells the process that reports.
    if hasattr(session.config, "workeroutput"):
        left_out = session.config.stash.get(LEFT_OUT, Counter())
        session.config.workeroutput["left_out"] = dict(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    # Every worker has collected the same tests.
    if "left_out" in getattr(node, "workeroutput", {}):
        node.config.stash[LEFT_OUT] = Counter(node.workeroutput["left_out"])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for reason, count in sorted(config.stash.get(LEFT_OUT, Counter()).items()):
        version = ".".join(map(str, sys.version_info[:2]))
        terminalreporter.write_line(f"left out on Python {version}: {count} that {reason}")
