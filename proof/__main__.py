"""Runs the parts that are named, or all of them, one after another."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module

PARTS = (
    "closed_form",
    "ratings",
    "composite",
    "pairing",
    "compare",
    "seating",
    "calibration",
    "estimate",
    "verdicts",
    "additivity",
    "evidence",
    "narrow",
    "graded",
    "covariates",
    "placing",
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m proof",
        description="Simulate agents of known skill, and see whether the arena's numbers hold.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--markdown", action="store_true", help="print the tables of docs/proof.md")
    parser.add_argument("--seed", type=int, default=1, help="everything follows from it")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="multiplies the repetitions; 0.02 only shows that it runs",
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if wrong := [part for part in options.parts if part not in PARTS]:
        parser.error(f"unknown part {wrong[0]!r}; known: {', '.join(PARTS)}")
    if options.scale <= 0 or options.processes < 1:
        parser.error("--scale and --processes: expected more than none")

    # A matrix product on every core, in every process, is slower than one core for each.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from proof import report

    found = []
    started = time.monotonic()
    for name in [part for part in PARTS if part in (options.parts or PARTS)]:
        print(f"{time.monotonic() - started:5.0f} s  {name} ...", file=sys.stderr)
        measure = import_module(f"proof.{name}").measure
        part = measure(seed=options.seed, scale=options.scale, processes=options.processes)
        found.append(part)
        if not (options.json or options.markdown):
            print(report.as_text(part), flush=True)
    print(f"{time.monotonic() - started:5.0f} s  done", file=sys.stderr)
    if options.json:
        print(report.as_json(found))
    elif options.markdown:
        print(report.as_markdown(found))
    broken = [figure for part in found for figure in part.figures if figure.met is False]
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
