"""What templates do with a text: nothing that a model wrote acts, and nothing drowns the page."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from arena.core.text import visible

SHOWN = 1_500  # characters of a text that are open
_FOLDED = 100_000  # characters behind them that a page holds
_VALUE = 4_000  # characters of any other value, such as a name
_GRID = 20_000  # characters by which a grid is told
_STROKES = re.compile(r"\||\+(?!\d)|--")  # a signed number is none


class WholeText(str):
    """A text that a page shows as it is: it is long on purpose, or cut already."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CutText:
    """A text in three parts: what is `shown`, the `rest` to be opened, and how many characters are
    `left` out of the page."""

    shown: str
    rest: str
    left: int


def folded(text: str, shown: int = SHOWN) -> CutText:
    """A long text cut at `shown` characters, at a blank where one is near."""
    if len(text) <= shown + shown // 4:
        return CutText(WholeText(text), "", 0)
    blank = max(text.rfind(" ", shown - 80, shown), text.rfind("\n", shown - 80, shown))
    end = blank + 1 if blank >= 0 else shown
    rest = WholeText(text[end : end + _FOLDED])
    return CutText(WholeText(text[:end]), rest, len(text) - end - len(rest))


def harmless(value: Any) -> Any:
    """What a template prints, before it is escaped: every text with its control characters,
    overrides of direction and lone surrogates made visible, and what is endless cut; a float
    without a fraction as an integer. For Jinja's `finalize`."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    most = _FOLDED if isinstance(value, WholeText) else _VALUE
    if len(value) > most:
        value = value[:most] + "…"
    return visible(value, keep="\n\t")


def as_json(value: Any) -> str:
    """A stored body, as it can be read."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def is_grid(text: str) -> bool:
    """Whether a text is drawn with bars or lines of characters, as boards are: its characters must
    stand below each other."""
    drawn = [line for line in text[:_GRID].split("\n") if len(_STROKES.findall(line)) > 1]
    return len(drawn) > 1


def dollars(amount: float | None) -> str:
    """Dollars with as many places as they need; a dash where nothing is known."""
    if amount is None:
        return "–"
    return f"{amount:.2f}" if amount >= 0.1 or amount == 0 else f"{amount:.2g}"


def seconds(milliseconds: float | None) -> str:
    """A duration: `15 ms`, `2.4 s`."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def percent(share: float | None) -> str:
    """A share from 0 to 1: `38 %`."""
    return "–" if share is None else f"{100 * share:.0f} %"


def rate(share: float | None) -> str:
    """A share that may be small: `0.3 %`, `38 %`."""
    if share is None:
        return "–"
    return f"{100 * share:.0f} %" if share >= 0.1 or not share else f"{100 * share:.2g} %"


def signed(number: float, places: int = 1) -> str:
    """A difference with its sign, `+1.3`, `−0.4`; what rounds to nothing has none."""
    text = f"{abs(number):.{places}f}"
    if not float(text):
        return text
    return f"+{text}" if number > 0 else f"\N{MINUS SIGN}{text}"
