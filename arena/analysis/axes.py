"""What the plots share: axes without frames, colours, and texts that are shown and never obeyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

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


def nothing(ax: Axes) -> Axes:
    """Says that there is nothing to draw."""
    ax.set(xticks=[], yticks=[])
    ax.text(
        0.5,
        0.5,
        "no rated games yet",
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
