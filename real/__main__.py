"""Prints the figures that need no model."""

from __future__ import annotations

import sys

from real.reading import figures


def main() -> int:
    """0 when every figure is what it should be."""
    found = figures()
    for figure in found:
        mark = "" if figure.met else "  too few" if figure.most is None else "  too many"
        print(f"{figure.what:42} {figure.value:3} of {figure.of}{mark}")
    return 0 if all(figure.met for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
