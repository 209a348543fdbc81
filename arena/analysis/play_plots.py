"""Draws what happened in games: who wins in which role, how long games last, what turns cost, who
votes well and who survives, and how the chances went.

Every function takes a frame, or a source to read one from with the filters of that frame, returns
the Axes it drew on and leaves matplotlib's settings alone. Intervals are of 95 % (Wilson).
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
    labels_beside,
    names_at,
    new_axes,
    nothing,
    pyplot,
    quiet,
    shown,
    title_of,
)
from arena.analysis.events import events_df, votes_df
from arena.analysis.frames import games_df, players_df
from arena.analysis.source import Readable, connected
from arena.analysis.turns import calls_df
from arena.stats.proportions import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLACE = ("tournament", "environment")


def plot_roles(
    data: pd.DataFrame | Readable = None, *, ax: Axes | None = None, **filters: Any
) -> Axes:
    """The share of its seats that each role won, a draw counting half, with its interval; the most
    successful at the top. `data` is a frame of `players_df`.

    Seats of one game win and lose together where they are a team, so that the interval of a role
    with several seats is of its games. Raises UsageError when matplotlib is missing.
    """
    frame = frame_of(data, players_df, ("game_id", "role", "result"), filters)
    known = frame[frame["role"].notna() & frame["result"].notna()]
    # Of no rows, `map` leaves the dtype of a text.
    won = known["result"].astype("string").map({"win": 1.0, "draw": 0.5, "loss": 0.0}).astype(float)
    of_games = won.groupby([known["role"], known["game_id"]]).mean()
    found = of_games.groupby(level=0).agg(["mean", "size"])
    return _shares(
        ax, found, title_of(frame, _PLACE), "share of its games that the role won", "games"
    )


def plot_votes(
    data: pd.DataFrame | Readable = None, *, ax: Axes | None = None, **filters: Any
) -> Axes:
    """The share of each agent's votes that were for a player of another team, with its interval.
    `data` is a frame of `votes_df`; choose a team or a role with its filters: for the Village of
    Secret Mafia it is how often a vote is right."""
    frame = frame_of(data, votes_df, ("agent", "against"), filters)
    known = frame[frame["agent"].notna() & frame["against"].notna()]
    found = known["against"].astype(float).groupby(known["agent"]).agg(["mean", "size"])
    return _shares(ax, found, title_of(frame, _PLACE), "share of votes for another team", "votes")


def plot_survival(
    data: pd.DataFrame | Readable = None,
    *,
    by: str = "role",
    ax: Axes | None = None,
    **filters: Any,
) -> Axes:
    """The share of players of each role that still play after every turn. `data` is a frame of
    `events_df` of all kinds: who ends a game alive is in it, too.

    `by` is role, team or agent. Raises UsageError when matplotlib is missing.
    """
    needed = ("game_id", "turn", "kind", "target", f"target_{by}", "source", by)
    frame = frame_of(data, events_df, needed, filters)
    ax = ax if ax is not None else new_axes(7.6, 4.4)
    quiet(ax, title_of(frame, _PLACE))
    out = frame[(frame["kind"] == "eliminate") & frame["target"].notna()]
    seats = _seats(frame, by)
    if out.empty or not len(seats):
        return nothing(ax, "no eliminations are on record")
    gone = out.groupby(["game_id", "target"])["turn"].min()
    end = int(frame["turn"].max())
    turns = np.arange(end + 2)
    lengths = frame.groupby("game_id")["turn"].max()
    groups = sorted({*seats.to_numpy()})
    labels: list[tuple[float, str, str]] = []
    for place, group in enumerate(groups):
        members = seats[seats == group].index
        left = np.array([gone.get(seat, np.inf) for seat in members], dtype=float)
        ended = np.array([lengths[seat[0]] for seat in members], dtype=float)
        # A game that is over has nobody at risk: Kaplan and Meier's estimate counts those left.
        alive = np.ones(len(turns))
        for turn in turns[1:]:
            risk = ((left >= turn - 1) & (ended >= turn - 1)).sum()
            lost = ((left >= turn - 1) & (left < turn)).sum()
            alive[turn] = alive[turn - 1] * (1 - lost / risk if risk else 1.0)
        colour = COLOURS[place % len(COLOURS)]
        ax.plot(turns, alive, color=colour, linewidth=1.7, drawstyle="steps-post")
        labels.append((float(alive[-1]), shown(group), colour))
    ax.set_ylim(0, 1.03)
    ax.set_xlim(0, end + 1)
    labels_beside(ax, labels)
    _percent(ax)
    ax.grid(axis="y", color=FAINT, linewidth=0.8)
    ax.set_xlabel("turn", color=MUTED, fontsize=SMALL)
    ax.set_ylabel("share still playing (Kaplan-Meier)", color=MUTED, fontsize=SMALL)
    return ax


def _seats(frame: pd.DataFrame, by: str) -> pd.Series[Any]:
    """The group of each player, by (game_id, player_index), as far as events name it."""
    done = frame[["game_id", "source", by]].set_axis(["game", "seat", "group"], axis=1)
    taken = frame[["game_id", "target", f"target_{by}"]]
    both = pd.concat([done, taken.set_axis(["game", "seat", "group"], axis=1)]).dropna()
    seats: pd.Series[Any] = both.drop_duplicates(["game", "seat"]).set_index(["game", "seat"])[
        "group"
    ]
    return seats


def plot_lengths(
    data: pd.DataFrame | Readable = None, *, ax: Axes | None = None, **filters: Any
) -> Axes:
    """How many turns games had, by who won. `data` is a frame of `games_df`."""
    frame = frame_of(data, games_df, ("turn_count", "winning_team", "status"), filters)
    played = frame[(frame["status"] == "completed") & frame["turn_count"].notna()]
    ax = ax if ax is not None else new_axes(7.2, 3.6)
    quiet(ax, title_of(frame, _PLACE))
    if played.empty:
        return nothing(ax)
    turns = played["turn_count"].to_numpy(dtype=float)
    winners = played["winning_team"].astype("string").fillna("no single winner")
    order = [*winners.value_counts().index][: len(COLOURS)]
    bins = np.histogram_bin_edges(turns, bins=min(30, max(4, round(np.sqrt(len(turns))))))
    groups = [turns[(winners == name).to_numpy()] for name in order]
    ax.hist(
        groups, bins=[*map(float, bins)], stacked=True, color=[*COLOURS[: len(order)]],
        label=[shown(name) for name in order], rwidth=0.92,
    )  # fmt: skip
    middle = float(np.median(turns))
    ax.axvline(middle, color=INK, linewidth=1)
    ax.set_xlabel(f"turns of a game; the line is their median, {middle:g}", color=MUTED,
                  fontsize=SMALL)  # fmt: skip
    ax.set_ylabel("games", color=MUTED, fontsize=SMALL)
    ax.grid(axis="y", color=FAINT, linewidth=0.8)
    legend = ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return ax


def plot_tokens(
    data: pd.DataFrame | Readable = None,
    *,
    value: str = "total_tokens_consumed",
    ax: Axes | None = None,
    **filters: Any,
) -> Axes:
    """What a turn takes as games go on: the mean of all calls of a turn, by turn, with the middle
    half of the games as a band. `data` is a frame of `calls_df`; `value` is one of its columns:
    total_tokens_consumed, prompt_tokens, response_tokens, cost, total_response_time_ms."""
    frame = frame_of(data, calls_df, ("game_id", "turn_number", value), filters)
    ax = ax if ax is not None else new_axes(7.6, 4.0)
    quiet(ax, title_of(frame, _PLACE))
    known = frame[frame[value].notna()]
    if known.empty:
        return nothing(ax, f"no call has {value}")
    spent = known[value].astype(float).groupby([known["turn_number"], known["game_id"]]).sum()
    by_turn = spent.groupby(level=0)
    turns = np.array([*by_turn.groups], dtype=float)
    quarter, three = by_turn.quantile(0.25).to_numpy(), by_turn.quantile(0.75).to_numpy()
    ax.fill_between(turns, quarter, three, color=BAND, alpha=0.6, linewidth=0)
    ax.plot(turns, by_turn.mean().to_numpy(), color=DOT, linewidth=1.7)
    ax.set_ylim(bottom=0)
    ax.grid(axis="y", color=FAINT, linewidth=0.8)
    ax.set_xlabel("turn of the game", color=MUTED, fontsize=SMALL)
    unit = {"cost": "dollars", "total_response_time_ms": "milliseconds"}.get(value, value)
    ax.set_ylabel(f"{unit.replace('_', ' ')} a turn: mean, middle half", color=MUTED,
                  fontsize=SMALL)  # fmt: skip
    return ax


def plot_chances(game_id: int, source: Readable = None, *, ax: Axes | None = None) -> Axes:
    """The chance of a team, position by position of a finished game, with its interval; a dot where
    it turned. The dashed line is play at random. Raises UsageError for a game that is not there,
    has no events, or whose environment does not tell chances."""
    from sqlmodel import Session

    from arena.reports.chances import chances

    pyplot()
    with connected(source) as connection, Session(connection) as session:
        found = chances(session, game_id)
    ax = ax if ax is not None else new_axes(7.6, 3.8)
    quiet(ax, f"game {game_id}")
    steps = range(len(found))
    ax.fill_between(
        steps, [each.low for each in found], [each.high for each in found], step="post",
        color=BAND, alpha=0.6, linewidth=0,
    )  # fmt: skip
    ax.plot(steps, [each.chance for each in found], color=DOT, linewidth=1.7,
            drawstyle="steps-post")  # fmt: skip
    ax.plot(steps, [each.random for each in found], color=MUTED, linewidth=1, linestyle="--",
            drawstyle="steps-post")  # fmt: skip
    for place, each in enumerate(found):
        if each.turned:
            ax.plot([place], [each.chance], "o", color=COLOURS[1], markersize=6)
    ax.axhline(0.5, color=LINE, linewidth=1, zorder=1)
    labels = ["start" if each.turn is None else f"turn {each.turn}" for each in found]
    every = max(1, -(-len(found) // 12))
    ax.set_xticks([*steps][::every], labels[::every], rotation=40, ha="right")
    ax.set_ylim(0, 1)
    _percent(ax)
    ax.set_ylabel(f"chance of {shown(found[0].team)}", color=MUTED, fontsize=SMALL)
    return ax


def _shares(ax: Axes | None, found: pd.DataFrame, title: str, what: str, counted: str) -> Axes:
    """Shares as dots on their intervals, the largest at the top, how many each is of beside it."""
    ax = ax if ax is not None else new_axes(7.2, 1.1 + 0.27 * max(len(found), 3))
    quiet(ax, title)
    if found.empty:
        return nothing(ax)
    found = found.sort_values("mean", ascending=False, kind="stable")
    rows = range(len(found))
    bounds = [wilson(mean, size) for mean, size in zip(found["mean"], found["size"], strict=True)]
    ax.hlines(rows, [low for low, _ in bounds], [high for _, high in bounds], color=BAND,
              linewidth=3.2, zorder=2)  # fmt: skip
    ax.plot(found["mean"], rows, "o", color=DOT, markersize=6, markeredgecolor="white", zorder=3)
    ax.axvline(0.5, color=LINE, linewidth=1, zorder=1)
    ax.set_ylim(len(found) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    names_at(ax, [*rows], [*found.index])
    ax.grid(axis="x", color=FAINT, linewidth=0.8)
    ax.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.set_xlabel(f"{what}, with the 95 % interval", color=MUTED, fontsize=SMALL)
    beside(ax, counted, -0.6, MUTED, at=42, ha="right", va="bottom")
    for row, size in zip(rows, found["size"], strict=True):
        beside(ax, f"{size:,}", row, MUTED, at=42, ha="right")
    return ax


def _percent(ax: Axes) -> None:
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
