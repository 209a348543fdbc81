"""`python -m bench.generated`: makes a database of games by a seed, and says where it is."""

from __future__ import annotations

import argparse

from bench.generated.cache import cached
from bench.generated.making import Scale, generate


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.generated", description="Make a database of games by a seed."
    )
    parser.add_argument(
        "url",
        nargs="?",
        help="a file that is not there yet, or a database's URL; without one it is kept for the "
        "next time, in $ARENA_BENCH_CACHE or the user's cache",
    )
    parser.add_argument("--games", type=int, default=1000)
    parser.add_argument("--agents", type=int, default=102)
    parser.add_argument("--tournaments", type=int, default=10)
    parser.add_argument("--sources", type=int, default=64, help="games that are played")
    parser.add_argument("--left", type=int, default=0, help="unplayed games of each tournament")
    parser.add_argument(
        "--texts", type=int, default=0, help="of the newest games only: turns, calls, events"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unrated", action="store_true", help="leave out ratings and their steps")
    given = vars(parser.parse_args(arguments))
    url, rated = given.pop("url"), not given.pop("unrated")
    try:
        scale = Scale(**given, rated=rated)
    except ValueError as error:
        parser.error(str(error))
    if url is None:
        url = cached(scale)
    else:
        generate(url, scale)
    print(url)


if __name__ == "__main__":
    main()
