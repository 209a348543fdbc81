"""What verdicts and boards say where games go missing, are asked about again, or are chosen by
their result: void games, repeated comparisons, many pairs, single games, errors left out.

Where a number cannot keep what it promises in such a world, the arena says so next to it: the
figure that is broken here stands beside the one that counts only what is said without that warning.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from proof.parallel import spread
from proof.report import Figure, Part, Table
from proof.verdict_worlds import (
    AGENTS,
    BLOCKS,
    DUEL,
    ERRORS,
    FIRST,
    FIXED,
    GAMES,
    GIVES_UP,
    GROUPS,
    LUCK,
    MOST,
    ROUNDS,
    SEAT,
    SINGLES,
    TESTS,
    VOIDS,
    Floats,
    Job,
    play_again,
    play_among,
    play_errors,
    play_singles,
    play_voids,
)

REPETITIONS = {"voids": 400, "among": 1_000, "again": 400, "singles": 400, "errors": 200}
_SLICES = {"voids": 50, "among": 250, "again": 50, "singles": 100, "errors": 50}
AGAIN = ("1", "2", "4")
PLAYS = {
    "voids": (play_voids, tuple(VOIDS)),
    "among": (play_among, tuple(GROUPS)),
    "again": (play_again, AGAIN),
    "singles": (play_singles, tuple(FIRST)),
    "errors": (play_errors, ("gives up",)),
}


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """Every world; `scale` shrinks the repetitions; what is found depends on it and on the seed."""
    found: dict[tuple[str, str], Floats] = {}
    roots = iter(
        np.random.SeedSequence(seed).spawn(sum(len(worlds) for _, worlds in PLAYS.values()))
    )
    times = {name: max(4, round(number * scale)) for name, number in REPETITIONS.items()}
    for name, (play, worlds) in PLAYS.items():
        for world in worlds:
            step = _SLICES[name]
            sizes = [min(step, times[name] - at) for at in range(0, times[name], step)]
            seeds = next(roots).spawn(len(sizes))
            jobs = [Job(world, size, own) for size, own in zip(sizes, seeds, strict=True)]
            rows = [row for part in spread(play, jobs, processes) for row in part]
            found[name, world] = np.asarray(rows, dtype=np.float64)
    often = ", ".join(f"{number:,} of {name}" for name, number in times.items())
    return Part(
        name="verdicts",
        setting=(
            f"Two players, the first seat wins {SEAT:.0%} among equals; pairs on one seed that "
            f"deals {LUCK:.0%} of the noise. Void games: up to {BLOCKS:,} pairs ({FIXED} at a "
            "fixed size). Asked again: each time anew. Many pairs: "
            f"{AGENTS} agents, all equal or in two groups, of which one wins 67 % of games without "
            f"a seat against the other; {ROUNDS} blocks of every pair by turns, looked at after "
            f"each. Single games: {SINGLES} between equals. Errors: {GAMES} games of "
            f"{DUEL.agents} agents, of whom one, equal to their mean, gives up in {GIVES_UP:.0%} "
            f"of the games that it loses. Repetitions in each world: {often}. Seed {seed}."
        ),
        figures=[
            *_void_figures(found),
            *_again_figures(found),
            *_among_figures(found),
            *_single_figures(found),
            *_error_figures(found),
        ],
        tables=[_void_table(found)],
    )


def _share(what: str, hits: Floats, *, most: float | None = None, note: str = "") -> Figure:
    share, number = float(hits.mean()), len(hits)
    error = sqrt(max(share * (1 - share), 1 / number) / number)
    return Figure(what, share, most=most, error=error, note=note)


def _wrong(test: str, rows: Floats) -> NDArray[np.bool_]:
    """Where a difference is found: of a test of h0 against h1 only one in A's favour is one."""
    return np.asarray(rows[:, 0] > 0 if test == "gsprt" else rows[:, 0] != 0)


def _void_figures(found: dict[tuple[str, str], Floats]) -> list[Figure]:
    figures = []
    for test in TESTS:
        for voids in ("a tenth of A's losses", "a tenth of all games"):
            rows = found["voids", f"{test}, {voids}, 0"]
            wrong = _wrong(test, rows)
            what = f"equals found different, {test}, {voids} void"
            warned = "the output says: not robust to N void games" if "losses" in voids else ""
            figures.append(_share(what, wrong, most=MOST, note=warned))
            standing = wrong & (rows[:, 1] > 0)
            figures.append(_share(f"{what}, and said to stand", standing, most=MOST))
    return figures


def _void_table(found: dict[tuple[str, str], Floats]) -> Table:
    """How often a true difference is found, and how often it is then said to stand."""
    rows = []
    for test in TESTS:
        for voids in ("a tenth of all games", "a hundredth of all games"):
            runs = found["voids", f"{test}, {voids}, 0.25"]
            right = runs[:, 0] > 0
            rows.append(
                (test, voids, float(right.mean()), float((right & (runs[:, 1] > 0)).mean()))
            )
    return Table(
        "A better by a quarter of a game's noise, games void whatever their result",
        ("test", "void", "found", "found, and said to stand"),
        rows,
    )


def _again_figures(found: dict[tuple[str, str], Floats]) -> list[Figure]:
    return [
        _share(
            f"one or more of {times} comparisons of equals by gsprt find A better",
            found["again", times].ravel() > 0,
            most=MOST * int(times),
            note="as the output says" if times != "1" else "",
        )
        for times in AGAIN
    ]


def _among_figures(found: dict[tuple[str, str], Floats]) -> list[Figure]:
    figures = []
    for world in GROUPS:
        rows = found["among", world]
        number = sqrt(len(rows))
        figures.append(
            Figure(
                f"false among the pairs found different, --among, {world}",
                float(rows[:, 0].mean()),
                most=MOST,
                error=float(rows[:, 0].std() / number),
            )
        )
        if rows[:, 1].any():
            figures.append(
                Figure(
                    f"pairs of different agents found, --among, {world}",
                    float(rows[:, 1].mean()),
                    error=float(rows[:, 1].std() / number),
                )
            )
    alone = found["among", "12 equal agents"][:, 2]
    figures.append(
        _share(
            "one or more of 66 pairs of equals found different, each by evalue alone",
            alone,
            note="what --among is for; with each verdict stands how many others there are",
        )
    )
    return figures


def _single_figures(found: dict[tuple[str, str], Floats]) -> list[Figure]:
    figures = []
    for first in FIRST:
        rows = found["singles", first]
        what = f"equals found different, single games, A {first} first"
        figures.append(_share(f"{what}, each a block of one: refused", rows[:, 0]))
        figures.append(_share(f"{what}, --played", rows[:, 1], most=MOST))
    return figures


def _error_figures(found: dict[tuple[str, str], Floats]) -> list[Figure]:
    rows = found["errors", "gives up"]
    figures = []
    for at, counted in enumerate(ERRORS):
        gain, error = float(rows[:, at].mean()), float(rows[:, at].std() / sqrt(len(rows)))
        what = f"gain in beta of an agent that gives up when losing, errors {counted}"
        note = "the output says: chooses games by their result" if counted == "left out" else ""
        promised = None if counted == "as draws" else 0.05
        least = None if promised is None else -promised
        figures.append(Figure(what, gain, least=least, most=promised, error=error, note=note))
    return figures
