"""Prints lines of a game for people: every line that a player wrote stands behind a bar in the
player's colour, wrapped ones too, so that no text can pass for another player or for the game."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.rule import Rule
from rich.text import Text

from arena.cli.output import console, count, duration, print_line, safe
from arena.core.text import lines

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
_BAR = "│ "
_WIDTH = 100  # a longer line is not read, it is searched for its beginning
_NARROWEST = 20
_LONGEST = 20_000  # characters of a text, and
_TALLEST = 300  # lines: what is longer is a model gone wrong


def transcript_console() -> Console:
    """A transcript is wrapped also where it is piped: a pager that wraps would lose the bars."""
    out = console()
    return out if out.is_terminal else console(width=_WIDTH)


class Page:
    """A console on which a game is told, no wider than people read."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self.width = max(min(out.width, _WIDTH), _NARROWEST)

    def print(self, what: Text | Rule) -> None:
        """One line as it is."""
        if isinstance(what, Text):
            what.rstrip()
            print_line(what, self._out)
        else:
            self._out.print(what, width=self.width)

    def rule(self, title: Text | str = "") -> None:
        """A line across the page."""
        self.print(Rule(title, align="left", style="dim", characters="─"))

    def quote(self, text: str, player: int, style: str = "") -> None:
        """What a player wrote, behind its bar."""
        if not text:
            self.print(Text("  says nothing", "dim italic"))
        self.text(Text(_BAR, colour(player)), text, style)

    def text(self, bar: Text, text: str, style: str) -> None:
        """A text behind a bar; a very long one is cut, and says so."""
        shown = lines(text[:_LONGEST])[:_TALLEST] if text else []
        for line in shown:
            self.block(bar, line, style)
        left = len(text) - len("\n".join(shown))
        if left > 0 and (len(text) > _LONGEST or len(lines(text)) > _TALLEST):
            self.print(Text(f"  … {count(left, 'more character')}; --json has them", "dim"))

    def block(self, bar: Text, line: str, style: str, lead: Text | None = None) -> None:
        """One line behind its bar, wrapped into as many as it needs; each has the bar."""
        text = safe(line, style)
        self.wrapped(bar, lead.append_text(text) if lead else text)

    def wrapped(self, bar: Text, text: Text) -> None:
        """A line that is safe to print, behind a bar."""
        room = self.width - cell_len(bar.plain)
        for part in text.wrap(self._out, room, overflow="fold") or [Text()]:
            self.print(Text.assemble(bar, part))

    def both_ends(self, left: Text, right: Text) -> None:
        """One line with something at each end, or two where they are too long for one."""
        room = self.width - cell_len(right.plain)
        gap = room - cell_len(left.plain)
        if gap < 2:
            self.print(left)
            left, gap = Text(), max(room, 0)
        self.print(Text.assemble(left, " " * gap, right))


def colour(player: int) -> str:
    """The colour of a player's name and bar."""
    return _COLOURS[player % len(_COLOURS)]


def player_name(player: int, agent: str | None = None, role: str | None = None) -> Text:
    """`Player 3 Sharp · Doctor`, in the player's colour."""
    name = Text(f"Player {player} ", f"bold {colour(player)}")
    if agent is not None:
        name.append_text(safe(agent, f"bold {colour(player)}"))
    if role:
        name.append_text(safe(f" · {role}", colour(player)))
    return name


def milliseconds(ms: float) -> str:
    """`800 ms`, `12 s`."""
    return f"{ms:.0f} ms" if ms < 10_000 else duration(ms / 1000)
