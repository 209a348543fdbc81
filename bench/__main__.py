"""Runs the parts that are named, or all of them, one after another."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

PARTS = (
    "arena", "projections", "recorder", "steady", "lean", "rewriting", "whole", "http", "in_flight",
    "executors", "ray", "bursts", "storage", "copying", "scale", "ratings", "boards", "systems",
    "start", "frames", "pages", "viewers", "telemetry", "clearance", "writers",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure what the arena promises, as ratios."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--markdown", action="store_true", help="print the table of docs/bench.md")
    form.add_argument("--history", action="store_true", help="print what was recorded, and end")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--toy", action="store_true", help="tiny sizes: only that it runs")
    size.add_argument("--record", action="store_true", help="add it to docs/bench-history.jsonl")
    options = parser.parse_args(arguments)
    if wrong := [part for part in options.parts if part not in PARTS]:
        parser.error(f"unknown part {wrong[0]!r}; known: {', '.join(PARTS)}")

    from bench import history, policies, report
    from bench.workers import Workers

    if options.history:
        print(history.as_table(history.remembered()))
        return 0
    rows = []
    started = time.monotonic()
    with TemporaryDirectory() as folder, Workers(shared=True) as shared:
        policies.register(Path(folder))
        for part in options.parts or PARTS:
            print(f"{time.monotonic() - started:5.0f} s  {part} ...", file=sys.stderr)
            measure = import_module(f"bench.{part}").measure
            if options.toy:
                found = measure(shared, toy=True)
            else:
                # What a part leaves behind in memory is not the next one's.
                with Workers() as workers:
                    found = measure(workers)
            rows += found
            if options.record:
                history.remember(found)
            if not (options.json or options.markdown):
                print(f"\n{part}")
                print("\n".join(report.as_text(row) for row in found), flush=True)
    print(f"{time.monotonic() - started:5.0f} s  done", file=sys.stderr)
    if options.json:
        print(report.as_json(rows))
    elif options.markdown:
        print(report.as_markdown(rows))
    return 0 if all(row.met is not False for row in rows) or options.toy else 1


if __name__ == "__main__":
    sys.exit(main())
