"""Draws computed leaderboards: ratings with their intervals, and the heat map of who beats whom.

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
    OTHERS,
    SMALL,
    beside,
    frame_of,
    names_at,
    new_axes,
    nothing,
    quiet,
    shown,
    title_of,
)
from arena.analysis.leaderboards import calibration_df, head_to_head_df, leaderboard_df
from arena.analysis.source import Readable
from arena.core import Rating, UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RULES = ("environment", "num_players", "version")
_WRITTEN_IN = 16  # columns of a heat map that leave room for numbers


def plot_intervals(
    data: pd.DataFrame | Readable = None, *, ax: Axes | None = None, **asked: Any
) -> Axes:
    """Every rating as a dot on its 95 % interval, the best at the top, its significance group at
    the right; a hollow dot marks the rating without the games that an error decided.

    `data` is a frame of `leaderboard_df`, or a source to read one from with the options of
    `leaderboard_df`. Raises UsageError when it holds several pools, and when matplotlib is missing.
    """
    frame = frame_of(data, leaderboard_df, ("name", "rating", "low", "high"), asked)
    _one(frame, ("pool",), "ratings of two pools cannot be compared: choose an environment")
    ax = ax if ax is not None else new_axes(7.2, 1.1 + 0.27 * max(len(frame), 3))
    quiet(ax, title_of(frame, ("tournament", "environment", "system")))
    if frame.empty:
        return nothing(ax)
    frame = frame.sort_values("rating", ascending=False, kind="stable")
    rows = range(len(frame))
    ax.axvline(Rating().mu, color=LINE, linewidth=1, zorder=1)
    ax.hlines(rows, frame["low"], frame["high"], color=BAND, linewidth=3.2, zorder=2)
    ax.plot(frame["rating"], rows, "o", color=DOT, markersize=6, markeredgecolor="white", zorder=3)
    if "without_errors" in frame and frame["without_errors"].notna().any():
        ax.plot(
            frame["without_errors"], rows, "o", markersize=5, markerfacecolor="none",
            markeredgecolor=MUTED, zorder=4,
        )  # fmt: skip
    ax.set_ylim(len(frame) - 0.4, -0.6)
    names_at(ax, [*rows], [*frame["name"]])
    ax.grid(axis="x", color=FAINT, linewidth=0.8)
    ax.set_xlabel("rating, with the 95 % interval of its difference to the mean", color=MUTED,
                  fontsize=SMALL)  # fmt: skip
    if "group" in frame:
        for row, group in zip(rows, frame["group"], strict=True):
            beside(ax, shown(group), row, MUTED)
    return ax


def plot_head_to_head(
    data: pd.DataFrame | Readable = None, *, ax: Axes | None = None, **asked: Any
) -> Axes:
    """The scores of the rows against the columns as a heat map: 0 to 1, white at one half.

    `data` is a frame of `head_to_head_df`, or a source to read one from with the options of
    `head_to_head_df`. Up to 16 columns the scores are written in. Raises UsageError when it holds
    several environments, and when matplotlib is missing.
    """
    frame = frame_of(data, head_to_head_df, ("agent", "against", "score"), asked)
    _one(frame, _RULES, "one heat map is of one environment: choose it")
    rows = _labels(frame, "agent_id", "agent")
    columns = _labels(frame, "against_id", "against")
    names = dict(zip(rows, frame["agent"], strict=True))
    titles = dict(zip(columns, frame["against"], strict=True))
    mean = frame["score"].groupby(rows).mean().sort_values(ascending=False, kind="stable")
    order = [*mean.index]
    across = order if set(titles) <= set(order) else sorted(titles)
    size = 2.4 + 0.42 * max(len(across), 3)
    ax = ax if ax is not None else new_axes(size + 1.6, 1.4 + 0.42 * max(len(order), 3))
    quiet(ax, title_of(frame, ("tournament", "environment")))
    if frame.empty:
        return nothing(ax)
    scores = np.full((len(order), len(across)), np.nan)
    for row, column, score in zip(rows, columns, frame["score"], strict=True):
        scores[order.index(row), across.index(column)] = score
    ax.imshow(scores, cmap="PuOr", vmin=0, vmax=1, aspect="auto")
    names_at(ax, [*range(len(order))], [names[row] for row in order])
    above = [shown((titles if column in titles else names)[column]) for column in across]
    ax.set_xticks(range(len(across)), above, rotation=40, ha="right")
    for label in ax.get_xticklabels():
        label.set(color=INK, fontsize=SMALL, parse_math=False)
    if len(across) <= _WRITTEN_IN:
        for (row, column), score in np.ndenumerate(scores):
            if np.isfinite(score):
                ax.text(
                    column, row, f"{100 * score:.0f}", ha="center", va="center", fontsize=SMALL,
                    color="white" if abs(score - 0.5) > 0.35 else INK,
                )  # fmt: skip
    return ax


def plot_calibration(
    data: pd.DataFrame | Readable = None,
    *,
    highlight: int = 3,
    ax: Axes | None = None,
    **asked: Any,
) -> Axes:
    """What favourites won against the chance they were given: on the thin line a system is
    calibrated, below it overconfident.

    `data` is a frame of `calibration_df`, or a source to read one from with the options of
    `calibration_df`. The `highlight` systems with the least log loss have a colour and 95 %
    intervals, the others a grey line; beside each name stands its log loss less that of the base
    rate. Raises UsageError when it holds several environments, and when matplotlib is missing.
    """
    if highlight < 0:
        raise UsageError(f"highlight is {highlight}: expected a number of systems, 0 or more")
    needed = ("system", "difference", "above", "below", "predicted", "observed", "low", "high")
    frame = frame_of(data, calibration_df, needed, asked)
    _one(frame, _RULES, "one diagram is of one environment: choose it")
    ax = ax if ax is not None else new_axes(7.6, 4.4)
    quiet(ax, title_of(frame, ("tournament", "environment")))
    if frame.empty:
        return nothing(ax)
    ax.plot([0.5, 1.0], [0.5, 1.0], color=LINE, linewidth=1, zorder=1)
    frame = frame[~((frame["above"] == 0.5) & (frame["below"] == 1.0))]
    systems = [*dict.fromkeys(frame["system"])]
    coloured = min(highlight, len(systems), len(COLOURS))
    for place, system in reversed([*enumerate(systems)]):
        bins = frame[frame["system"] == system]
        colour, shift = OTHERS, 0.0
        if place < coloured:
            # Side by side, so that one interval does not hide another.
            colour, shift = COLOURS[place], 0.004 * (place - (coloured - 1) / 2)
            ax.vlines(
                bins["predicted"] + shift, bins["low"], bins["high"], color=colour, alpha=0.3,
                linewidth=2.4, zorder=2,
            )  # fmt: skip
        ax.plot(
            bins["predicted"] + shift, bins["observed"], "o-", color=colour, markersize=5,
            linewidth=1.4, markeredgecolor="white", zorder=3 if place < coloured else 2,
            label=f"{shown(system)}  {bins['difference'].iloc[0]:+.3f}",
        )  # fmt: skip
    ax.grid(color=FAINT, linewidth=0.8)
    ax.set_xlim(0.49, 1.01)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set_xlabel("chance that the favourite was given", color=MUTED, fontsize=SMALL)
    ax.set_ylabel("what it won, with the 95 % interval", color=MUTED, fontsize=SMALL)
    lines, labels = ax.get_legend_handles_labels()
    legend = ax.legend(
        lines[::-1], labels[::-1], title="log loss less the base rate's", frameon=False,
        loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=SMALL, title_fontsize=SMALL,
        labelcolor=INK, alignment="left",
    )  # fmt: skip
    legend.get_title().set_color(MUTED)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return ax


def _one(frame: pd.DataFrame, columns: tuple[str, ...], why: str) -> None:
    known = [name for name in columns if name in frame]
    count = len(frame[known].drop_duplicates()) if known else 1
    if count > 1:
        raise UsageError(f"the frame holds {count} of them; {why}")


def _labels(frame: pd.DataFrame, key: str, name: str) -> pd.Series[Any]:
    """What tells agents apart: two may bear the same name."""
    return frame[key] if key in frame and frame[key].notna().all() else frame[name]
