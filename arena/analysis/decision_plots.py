"""Draws what a decision rests on: a sequential test against its bounds, ratings against their cost.

Every function returns the Axes it drew on and leaves matplotlib's settings alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from arena.analysis.axes import (
    BAND,
    COLOURS,
    DOT,
    FAINT,
    INK,
    LINE,
    MUTED,
    SMALL,
    beside,
    frame_of,
    new_axes,
    nothing,
    pyplot,
    quiet,
    shown,
    title_of,
)
from arena.analysis.comparisons import comparison_df
from arena.analysis.leaderboards import leaderboard_df
from arena.analysis.source import Readable
from arena.compare.answer import Comparison
from arena.core import UsageError
from arena.core.text import one_line
from arena.stats.front import cost_front
from db.database import Source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STATISTIC = {
    "gsprt": "log likelihood ratio",
    "evalue": "log of the e-value",
    "fixed": "z",
}


def plot_sequential_test(
    data: pd.DataFrame | Comparison | str, source: Source = None, *, ax: Axes | None = None
) -> Axes:
    """The statistic of a comparison after each block, between the bounds that end its test.

    `data` is a frame of `comparison_df`, a comparison that `compare` made, or the name of the
    tournament of one. Raises UsageError as `comparison_df` does, and when matplotlib is missing.
    """
    pyplot()
    frame = data if isinstance(data, pd.DataFrame) else comparison_df(data, source)
    ax = ax if ax is not None else new_axes(7.6, 4.0)
    told = frame.attrs
    quiet(ax, one_line(f"{told.get('a', 'A')} against {told.get('b', 'B')}", 80))
    if frame.empty:
        return nothing(ax, "no block has both results yet")
    blocks = [0, *frame["block"].astype(int)]
    for bound, name in (("lower", "lower"), ("upper", "upper")):
        edge = float(frame[bound].iloc[-1])
        if np.isfinite(edge):
            ax.axhline(edge, color=COLOURS[1], linewidth=1.2, linestyle="--", zorder=1)
            beside(ax, f"{name} bound", edge, COLOURS[1])
    ax.axhline(0, color=LINE, linewidth=1, zorder=1)
    ax.plot(blocks, [0.0, *frame["statistic"]], color=DOT, linewidth=1.7, drawstyle="steps-post")
    ax.plot([blocks[-1]], [float(frame["statistic"].iloc[-1])], "o", color=DOT, markersize=6)
    decision = str(frame["decision"].iloc[-1])
    ax.set_xlim(0, max(blocks[-1], 1))
    ax.grid(axis="x", color=FAINT, linewidth=0.8)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel(f"blocks (two games each): {decision}", color=MUTED, fontsize=SMALL)
    ax.set_ylabel(_STATISTIC.get(told.get("test", ""), "statistic"), color=MUTED, fontsize=SMALL)
    return ax


def plot_cost(
    data: pd.DataFrame | Readable = None, *, ax: Axes | None = None, **asked: Any
) -> Axes:
    """Rating against dollars a game, with the front: the agents that no other one beats at their
    price or below. `data` is a frame of `leaderboard_df`, or a source to read one from with the
    options of `leaderboard_df`. Agents without a known cost are counted below the plot. Raises
    UsageError when it holds several pools, and when matplotlib is missing.
    """
    frame = frame_of(data, leaderboard_df, ("name", "rating", "cost_per_game"), asked)
    if "pool" in frame and frame["pool"].nunique() > 1:
        raise UsageError("ratings of several pools cannot be compared: choose an environment")
    known = frame[frame["rating"].notna() & frame["cost_per_game"].notna()]
    ax = ax if ax is not None else new_axes(7.6, 4.4)
    quiet(ax, title_of(frame, ("tournament", "environment", "system")))
    if known.empty:
        return nothing(ax, "no agent has a known cost")
    known = known.sort_values(["cost_per_game", "rating"], ascending=[True, False], kind="stable")
    cost = known["cost_per_game"].to_numpy(dtype=float)
    rating = known["rating"].to_numpy(dtype=float)
    front = np.array(cost_front(cost.tolist(), rating.tolist()))
    if "low" in known:
        ax.vlines(cost, known["low"], known["high"], color=BAND, linewidth=2.4, zorder=1)
    ax.plot(cost[front], rating[front], color=DOT, linewidth=1, drawstyle="steps-post", zorder=2)
    ax.plot(cost[~front], rating[~front], "o", color=MUTED, markersize=5, zorder=3)
    ax.plot(cost[front], rating[front], "o", color=DOT, markersize=7, markeredgecolor="white",
            zorder=4)  # fmt: skip
    for name, x, y, on in zip(known["name"], cost, rating, front, strict=True):
        ax.annotate(
            shown(name), (x, y), xytext=(6, 4), textcoords="offset points", fontsize=SMALL,
            color=INK if on else MUTED, parse_math=False,
        )  # fmt: skip
    ax.margins(x=0.12)
    ax.set_xlim(left=min(0.0, float(cost.min())))
    ax.grid(color=FAINT, linewidth=0.8)
    left = len(frame) - len(known)
    without = f"; {left} without a known cost" if left else ""
    ax.set_xlabel(f"dollars a game{without}", color=MUTED, fontsize=SMALL)
    ax.set_ylabel("rating, with its 95 % interval", color=MUTED, fontsize=SMALL)
    return ax
