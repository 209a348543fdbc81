"""The TrueSkill update of two teams, written out seat by seat for one pair of team sizes.

A loop over the seats costs Python as much as the arithmetic in it. A rebuild plays the same sizes a
hundred thousand times, so their update is generated once, as `dataclasses` generates `__init__`:
straight lines that do the operations of `TrueSkill.rate`, in its order, for the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import erfc, exp, sqrt
from struct import Struct
from typing import Any

from arena.core.ratings import BETA, MU
from arena.ratings.gaussian.truncated import MINUS_ROOT_HALF, ROOT_2_OVER_PI, TAIL, draw, win

SeatNumbers = Sequence[int]
Play = Callable[
    [
        list[float],
        list[float],
        SeatNumbers,
        SeatNumbers,
        Sequence[float],
        Sequence[float],
        bytearray,
        int,
    ],
    None,
]
"""play(mu, sigma, ahead, behind, signs, quantiles, out, offset): one run of games.

`mu` and `sigma` are moved in place, indexed by the numbers in `ahead`, which holds the seats of
every game's first team, and `behind`, of its second. Per game, `signs` is 1.0 when the first team
won, −1.0 when the second did and 0.0 for a draw, and `quantiles` is of its draw probability
(`arena.ratings.online.draw_margin`). The mu and sigma of each seat after its game are packed as
doubles into `out`, from byte `offset` on; a loop that keeps nothing leaves `out` alone.
"""

_SOURCE = """\
def play(
    mu, sigma, ahead, behind, signs, quantiles, out, offset, *,
    draw=draw, erfc=erfc, exp=exp, pack_into=pack_into, sqrt=sqrt, win=win,
):
    ahead, behind = iter(ahead), iter(behind)
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
                shrink = v * (v + x) / variance
            else:
                v, w, _ = win(x)
                shrink = w / variance
            gain = sign * v / deviation
        else:
            v, w, _ = draw(gap / deviation, margin / deviation)
            gain = v / deviation
            shrink = w / variance
        {write}
"""

_KEEP = """\
        pack_into(out, offset, {after})
        offset += {bytes}
"""


@lru_cache(maxsize=64)
def unroll(first: int, second: int, *, keep: bool = True) -> Play:
    """The run of games between teams of `first` and `second` seats, every agent in one seat; with
    `keep`, the ratings after every game are packed."""
    seats = range(first + second)
    pack = Struct(f"{2 * len(seats)}d")
    step = (
        "mu[e{k}] = m{k} = {move}; sigma[e{k}] = s{k} = {fall}"
        if keep
        else ("mu[e{k}] = {move}; sigma[e{k}] = {fall}")
    )
    source = (_SOURCE + _KEEP * keep).format(
        agents=", ".join(f"e{k}" for k in seats),
        every=", ".join("ahead" if k < first else "behind" for k in seats),
        read="; ".join(f"m{k} = mu[e{k}]; s{k} = sigma[e{k}]; v{k} = s{k} * s{k}" for k in seats),
        gap="".join(f"{_sign(k, first)} m{k} " for k in seats).removeprefix("+ ").rstrip(),
        square=" + ".join(f"v{k}" for k in seats),
        centre=MU * (first - second),
        noise=len(seats) * (BETA * BETA),
        scale=sqrt(len(seats)) * BETA,
        tail=TAIL,
        root_2_over_pi=ROOT_2_OVER_PI,
        minus_root_half=MINUS_ROOT_HALF,
        write="; ".join(
            step.format(
                k=k,
                move=f"m{k} {_sign(k, first)} v{k} * gain",
                fall=f"s{k} * sqrt(1.0 - v{k} * shrink)",
            )
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
