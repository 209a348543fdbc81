"""The TrueSkill update of two teams, written out seat by seat for one pair of team sizes.

A loop over the seats costs Python as much as the arithmetic in it. A rebuild plays the same sizes a
hundred thousand times, so their update is generated once, as `dataclasses` generates `__init__`:
straight lines that do the operations of `TrueSkill.rate`, in its order, for the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import erfc, exp, sqrt
from struct import Struct
from typing import Any

from arena.ratings.trueskill import BETA, MU, NOISE
from arena.ratings.truncated import MINUS_ROOT_HALF, ROOT_2_OVER_PI, TAIL, draw, win

Play = Callable[
    [list[float], list[float], Sequence[int], Sequence[float], Sequence[float], bytearray, int],
    None,
]
"""play(mu, sigma, seats, signs, quantiles, out, offset): one run of games.

`mu` and `sigma` are moved in place, indexed by the numbers in `seats`, which holds every game's
first team and then its second. Per game, `signs` is 1 when the first team won, −1 when the second
did and 0 for a draw, and `quantiles` is of its draw probability (`arena.ratings.margins`). The mu
and sigma of each seat after its game are packed as doubles into `out`, from byte `offset` on.
"""

_SOURCE = """\
def play(mu, sigma, seats, signs, quantiles, out, offset):
    every = iter(seats)
    for {agents}, sign, quantile in zip({every}, signs, quantiles):
        {read}
        gap = {gap} - {centre!r}
        variance = {square} + {noise!r}
        deviation = sqrt(variance)
        margin = quantile * {scale!r}
        if sign:
            x = (sign * gap - margin) / deviation
            if x > {tail!r}:
                v = exp(-0.5 * x * x) * {root_2_over_pi!r} / erfc(x * {minus_root_half!r})
                w = v * (v + x)
            else:
                v, w, _ = win(x)
            gain = sign * v / deviation
        else:
            v, w, _ = draw(gap / deviation, margin / deviation)
            gain = v / deviation
        shrink = w / variance
        {write}
        pack_into(out, offset, {after})
        offset += {bytes}
"""


def unroll(first: int, second: int) -> Play:
    """The run of games between teams of `first` and `second` seats, every agent in one seat."""
    seats = range(first + second)
    pack = Struct(f"{2 * len(seats)}d")
    source = _SOURCE.format(
        agents=", ".join(f"e{k}" for k in seats),
        every=", ".join("every" for _ in seats),
        read="; ".join(f"m{k} = mu[e{k}]; s{k} = sigma[e{k}]; v{k} = s{k} * s{k}" for k in seats),
        gap="".join(f"{_sign(k, first)} m{k} " for k in seats).removeprefix("+ ").rstrip(),
        square=" + ".join(f"v{k}" for k in seats),
        centre=MU * (first - second),
        noise=len(seats) * NOISE,
        scale=sqrt(len(seats)) * BETA,
        tail=TAIL,
        root_2_over_pi=ROOT_2_OVER_PI,
        minus_root_half=MINUS_ROOT_HALF,
        write="; ".join(
            f"mu[e{k}] = m{k} = m{k} {_sign(k, first)} v{k} * gain; "
            f"sigma[e{k}] = s{k} = s{k} * sqrt(1.0 - v{k} * shrink)"
            for k in seats
        ),
        after=", ".join(f"m{k}, s{k}" for k in seats),
        bytes=pack.size,
    )
    names: dict[str, Any] = {
        "draw": draw,
        "erfc": erfc,
        "exp": exp,
        "pack_into": pack.pack_into,
        "sqrt": sqrt,
        "win": win,
    }
    exec(source, names)  # noqa: S102 - the text above with numbers in it, nothing from outside
    play: Play = names["play"]
    return play


def _sign(seat: int, first: int) -> str:
    return "+" if seat < first else "-"
