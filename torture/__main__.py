"""Runs the parts that are named, or all of them, one after another."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path

PARTS = (
    "kill", "workers", "faults", "bursts", "limits", "migrations", "budget", "hostile", "stop",
    "secrets", "ray",
)  # fmt: skip


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="arena-torture-") as made:
            yield Path(made)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m torture",
        description="Kill, starve, deceive and cap the arena, and count what it loses.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--markdown", action="store_true", help="print the tables of docs/torture.md")
    parser.add_argument("--toy", action="store_true", help="tiny sizes: only that it runs")
    parser.add_argument("--seed", type=int, default=1, help="of every random instant and fault")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave everything in a folder")
    parser.add_argument("--postgresql", metavar="URL", help="a server to use instead of our own")
    options = parser.parse_args(arguments)
    if wrong := [part for part in options.parts if part not in PARTS]:
        parser.error(f"unknown part {wrong[0]!r}; known: {', '.join(PARTS)}")

    # What was started is to be ended also when this is ended from outside.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    from torture import report
    from torture.harness import Harness
    from torture.rows import Row, kept

    rows: list[Row] = []
    with (
        _folder(options.keep) as folder,
        Harness(folder, seed=options.seed, postgresql=options.postgresql) as harness,
    ):
        for part in [part for part in PARTS if part in (options.parts or PARTS)]:
            harness.say(f"{part} ...")
            found = import_module(f"torture.parts.{part}").run(harness, toy=options.toy)
            found = [replace(row, note=harness.without_paths(row.note)) for row in found]
            rows += found
            if not (options.json or options.markdown):
                print(f"\n{part}")
                print("\n".join(report.as_text(row) for row in found), flush=True)
        harness.say("done")
    if options.json:
        print(report.as_json(rows))
    elif options.markdown:
        print(report.as_markdown(rows))
    return 0 if kept(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
