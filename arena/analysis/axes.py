"""What the plots share: axes without frames, colours, and texts that are shown and never obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from arena.analysis.source import Readable
from arena.core import UsageError
from arena.core.text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#2b3440"
MUTED = "#7d8894"
FAINT = "#e6e9ed"
LINE = "#c3cad1"
DOT = "#2f5d8a"
BAND = "#b9cbdd"
# Of Paul Tol's "muted" scheme: told apart also by eyes that see no red or no green.
COLOURS = ("#332288", "#cc6677", "#117733", "#999933", "#44aa99", "#aa4499")
OTHERS = "#cfd5db"

NAME_WIDTH = 40
SMALL = 8.5
NORMAL = 9.5
LARGE = 11.5


def pyplot() -> Any:
    """matplotlib's pyplot. Raises UsageError when it is missing."""
    try:
        from matplotlib import pyplot as found
    except ImportError as error:
        raise UsageError(
            "plots need matplotlib, which is not installed: pip install 'llm-arena[notebook]'"
        ) from error
    return found


def new_axes(width: float, height: float) -> Axes:
    """The axes of a new figure; sizes are in inches."""
    figure, ax = pyplot().subplots(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    axes: Axes = ax
    return axes


def quiet(ax: Axes, title: str) -> None:
    """Takes away what is no data, and sets the title."""
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_axisbelow(True)
    ax.tick_params(length=0, colors=MUTED, labelsize=SMALL)
    ax.set_title(title, loc="left", color=INK, fontsize=LARGE, pad=12, parse_math=False)


def nothing(ax: Axes, why: str = "no rated games yet") -> Axes:
    """Says that there is nothing to draw."""
    ax.set(xticks=[], yticks=[])
    ax.text(
        0.5,
        0.5,
        why,
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=MUTED,
        fontsize=NORMAL,
    )
    return ax


def shown(name: Any) -> str:
    """A stranger's name, on one line and safe to look at."""
    return one_line(str(name), NAME_WIDTH)


def beside(
    ax: Axes,
    text: str,
    height: float,
    colour: str,
    *,
    at: float = 7,
    ha: Literal["left", "right"] = "left",
    va: Literal["center", "bottom"] = "center",
) -> None:
    """A text `at` points right of the plot, at a height of the data."""
    ax.annotate(
        text,
        xy=(1, height),
        xycoords=ax.get_yaxis_transform(),
        xytext=(at, 0),
        textcoords="offset points",
        ha=ha,
        va=va,
        color=colour,
        fontsize=SMALL,
        annotation_clip=False,
        parse_math=False,
    )


def frame_of(
    data: pd.DataFrame | Readable, read: Any, needed: tuple[str, ...], asked: dict[str, Any]
) -> pd.DataFrame:
    """The frame that is drawn: `data` itself, or what `read` reads from it as was asked. Raises
    UsageError for one without the columns that are needed, and when matplotlib is missing."""
    pyplot()
    if not isinstance(data, pd.DataFrame):
        frame: pd.DataFrame = read(data, **asked)
        return frame
    if asked:
        raise UsageError(f"a frame is drawn as it is: give {', '.join(asked)} to {read.__name__}")
    missing = [name for name in needed if name not in data]
    if missing:
        raise UsageError(
            f"the frame has no column {', '.join(missing)}: expected one of {read.__name__}"
        )
    return data


def title_of(frame: pd.DataFrame, parts: tuple[str, ...]) -> str:
    """What a frame is of, by the columns that say it."""
    if frame.empty:
        return ""
    first = frame.iloc[0]
    named = [str(first[name]) for name in parts if name in frame and pd.notna(first[name])]
    return one_line(" · ".join(named), 80)


def names_at(ax: Axes, rows: list[int], names: list[Any]) -> None:
    """Strangers' names at rows of the vertical axis."""
    ax.set_yticks(rows, [shown(name) for name in names])
    for label in ax.get_yticklabels():
        label.set(color=INK, fontsize=NORMAL, parse_math=False)
    ax.tick_params(axis="y", pad=6)


def labels_beside(ax: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Names right of the plot, (height, name, colour) each, moved apart where they would touch."""
    labels = sorted(labels)
    heights = _spread([height for height, _, _ in labels], _line_height(ax))
    for height, (_, name, colour) in zip(heights, labels, strict=True):
        beside(ax, name, height, colour)


def _line_height(ax: Axes) -> float:
    """The height of a line of small text, in units of the data."""
    low, high = ax.get_ylim()
    points = ax.bbox.height * 72 / ax.figure.dpi
    return (high - low) * SMALL * 1.35 / points


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights, moved as little as needed so that no two are closer than `gap`."""
    groups: list[tuple[float, int]] = []  # (centre, how many), each a run of touching labels
    for height in heights:
        centre, count = height, 1
        while groups and groups[-1][0] + gap * (groups[-1][1] + count) / 2 > centre:
            before, size = groups.pop()
            centre = (before * size + centre * count) / (size + count)
            count += size
        groups.append((centre, count))
    return [
        centre + gap * (index - (count - 1) / 2)
        for centre, count in groups
        for index in range(count)
    ]
