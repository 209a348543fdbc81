"""Draws ratings: the leaderboard with its intervals, and how the ratings came about.

Every function returns the Axes it drew on and leaves matplotlib's settings alone. matplotlib is an
extra, imported when something is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import pandas as pd

from arena.analysis.axes import (
    BAND,
    COLOURS,
    DOT,
    FAINT,
    INK,
    LINE,
    MUTED,
    NAME_WIDTH,
    NORMAL,
    OTHERS,
    SMALL,
    beside,
    labels_beside,
    new_axes,
    nothing,
    pyplot,
    quiet,
    shown,
)
from arena.analysis.ratings import rating_changes_df, ratings_df
from arena.analysis.source import Readable
from arena.core import Rating, UsageError
from arena.core.text import one_line
from db.finding import NameOrNumber

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_leaderboard(
    data: pd.DataFrame | Readable = None,
    *,
    tournament: NameOrNumber | None = None,
    environment: NameOrNumber | None = None,
    interval: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Every agent's mu as a dot on its interval, the best at the top, its games at the right.

    `data` is a frame of `ratings_df`, or a source to read one from. `interval` is the probability
    that the interval covers. A thin line marks the mean of the pool. Without `ax`
    a figure is made, as high as the agents need. Raises UsageError when the frame holds several
    pools, and when matplotlib is missing.
    """
    reach = _deviations(interval)
    frame = _one_pool(
        data, ratings_df, ("agent", "mu", "sigma"), tournament=tournament, environment=environment
    )
    frame = frame.sort_values("mu", ascending=False, kind="stable")
    ax = ax if ax is not None else new_axes(7.2, 1.1 + 0.27 * max(len(frame), 3))
    quiet(ax, _title(frame))
    if frame.empty:
        return nothing(ax)

    mu, sigma = frame["mu"].to_numpy(dtype=float), frame["sigma"].to_numpy(dtype=float)
    rows = range(len(frame))
    ax.hlines(rows, mu - reach * sigma, mu + reach * sigma, color=BAND, linewidth=3.2, zorder=2)
    ax.plot(mu, rows, "o", color=DOT, markersize=6, markeredgecolor="white", zorder=3)
    if "centred" in frame:
        mean = float(mu[0] - frame["centred"].iloc[0] + Rating().mu)
        ax.axvline(mean, color=LINE, linewidth=1, zorder=1)

    ax.set_ylim(len(frame) - 0.4, -0.6)
    ax.set_yticks([*rows], [shown(name) for name in frame["agent"]])
    for label in ax.get_yticklabels():
        label.set(color=INK, fontsize=NORMAL, parse_math=False)
    ax.tick_params(axis="y", pad=6)
    ax.grid(axis="x", color=FAINT, linewidth=0.8)
    ax.set_xlabel(f"mu, with the {interval * 100:g} % interval", color=MUTED, fontsize=SMALL)
    if "games" in frame:
        beside(ax, "games", -0.6, MUTED, at=42, ha="right", va="bottom")
        for row, games in zip(rows, frame["games"], strict=True):
            beside(ax, f"{games:,}", row, MUTED, at=42, ha="right")
    return ax


def plot_ratings(
    data: pd.DataFrame | Readable = None,
    *,
    tournament: NameOrNumber | None = None,
    environment: NameOrNumber | None = None,
    interval: float = 0.95,
    highlight: int = 4,
    ax: Axes | None = None,
) -> Axes:
    """Every agent's mu after each rated game, with a band of the given probability.

    `data` is a frame of `rating_changes_df`, or a source to read one from. A thin line marks where
    every agent starts. The best `highlight`
    agents have a colour, a band and their name, the others a grey line. The first bands, which
    know nothing yet, run out of the picture. Without `ax` a figure is
    made. Raises UsageError when the frame holds several pools, and when matplotlib is missing.
    """
    reach = _deviations(interval)
    if highlight < 0:
        raise UsageError(f"highlight is {highlight}: expected a number of agents, 0 or more")
    frame = _one_pool(
        data,
        rating_changes_df,
        ("game_id", "fold_index", "agent_id", "agent", "mu_before", "sigma_before", "mu_after"),
        tournament=tournament,
        environment=environment,
    )
    ax = ax if ax is not None else new_axes(7.6, 4.4)
    quiet(ax, _title(frame))
    if frame.empty:
        return nothing(ax)

    frame = frame.sort_values(["fold_index", "game_id"], kind="stable")
    frame = frame.assign(position=pd.factorize(frame["game_id"])[0] + 1)
    end = int(frame["position"].max())
    last = frame.groupby("agent_id", sort=False).tail(1)
    order = last.sort_values("mu_after", ascending=False, kind="stable")["agent_id"].tolist()
    histories = dict([*frame.groupby("agent_id", sort=False)])
    labels: list[tuple[float, str, str]] = []
    bounds: list[float] = []
    for place, agent_id in reversed([*enumerate(order)]):
        history = histories[agent_id]
        first, final = history.iloc[0], history.iloc[-1]
        x = [first["position"] - 1, *history["position"], end]
        mu = pd.Series([first["mu_before"], *history["mu_after"], final["mu_after"]])
        sigma = pd.Series([first["sigma_before"], *history["sigma_after"], final["sigma_after"]])
        bounds += [mu.min(), mu.max()]
        if place >= highlight:
            ax.plot(x, mu, color=OTHERS, linewidth=1, drawstyle="steps-post", zorder=1)
            continue
        colour = COLOURS[place % len(COLOURS)]
        low, high = mu - reach * sigma, mu + reach * sigma
        ax.fill_between(x, low, high, step="post", color=colour, alpha=0.06, linewidth=0, zorder=2)
        ax.plot(x, mu, color=colour, linewidth=1.7, drawstyle="steps-post", zorder=3)
        bounds += [low.iloc[-1], high.iloc[-1]]
        labels.append((float(final["mu_after"]), shown(final["agent"]), colour))

    ax.axhline(Rating().mu, color=LINE, linewidth=1, zorder=1)
    ax.set_xlim(0, end)
    margin = max(0.04 * (max(bounds) - min(bounds)), 0.1)
    ax.set_ylim(min(bounds) - margin, max(bounds) + margin)
    ax.grid(axis="y", color=FAINT, linewidth=0.8)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("rated games", color=MUTED, fontsize=SMALL)
    ax.set_ylabel(f"mu, with the {interval * 100:g} % band", color=MUTED, fontsize=SMALL)
    if len(order) > len(labels) > 0:
        ax.text(
            0.99,
            0.015,
            f"grey: {len(order) - len(labels)} others",
            transform=ax.transAxes,
            ha="right",
            va="bottom",
            color=MUTED,
            fontsize=SMALL,
        )
    labels_beside(ax, labels)
    return ax


def _deviations(interval: float) -> float:
    if not 0 < interval < 1:
        raise UsageError(f"interval is {interval}: expected a probability between 0 and 1")
    return NormalDist().inv_cdf(0.5 + interval / 2)


def _one_pool(
    data: pd.DataFrame | Readable,
    read: Any,
    needed: Sequence[str],
    *,
    tournament: NameOrNumber | None,
    environment: NameOrNumber | None,
) -> pd.DataFrame:
    pyplot()
    if not isinstance(data, pd.DataFrame):
        frame: pd.DataFrame = read(data, tournament=tournament, environment=environment)
    elif tournament is not None or environment is not None:
        raise UsageError(
            f"a frame is drawn as it is: give tournament and environment to {read.__name__}"
        )
    else:
        frame = data
    missing = [name for name in needed if name not in frame]
    if missing:
        raise UsageError(
            f"the frame has no column {', '.join(missing)}: expected one of {read.__name__}"
        )
    if "pool_id" in frame and frame["pool_id"].nunique() > 1:
        pools = frame.drop_duplicates("pool_id")
        listed = ", ".join(_pool_name(pool) for _, pool in pools.iterrows())
        raise UsageError(
            f"ratings of {len(pools)} pools cannot be compared ({listed}): choose one with "
            "tournament= or environment=, or by pool_id"
        )
    return frame


def _pool_name(pool: Any) -> str:
    """The name of the pool that a row is of, empty when the frame does not say."""
    if any(name not in pool for name in ("tournament", "environment", "num_players")):
        return ""
    named = [str(pool[name]) for name in ("tournament", "environment") if pd.notna(pool[name])]
    if pd.notna(pool["num_players"]):
        named.append(f"{pool['num_players']} players")
    return one_line(" · ".join(named), 2 * NAME_WIDTH)


def _title(frame: pd.DataFrame) -> str:
    return "" if frame.empty else _pool_name(frame.iloc[0])
