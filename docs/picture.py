"""Draws the README's picture: real commands, typed into a terminal of their own.

Plays the quickstart in a temporary folder, keeps what the terminal shows of the standings and of
one game, and writes it as a PNG.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import MONOKAI as THEME
from rich.text import Text

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"
COLUMNS = 88
SIZE = 15  # of the letters, in pixels
MARGIN = 18
GAME_LINES = 26  # from its end
PROMPT = "[bold green]$[/] "
_ERASED = re.compile(r"^.*\x1b\[2K|\r", re.DOTALL)  # what a live view drew and took back


def typed(command: Sequence[str], folder: str) -> str:
    """What a terminal of COLUMNS columns shows when the command has ended."""
    mine, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while piece := _read(mine):
            shown += piece
    os.close(mine)
    if process.returncode:
        raise SystemExit(shown.decode())
    return _ERASED.sub("", shown.decode())


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # so Linux says that nobody writes any more
        return b""


def scene(folder: str) -> list[Text]:
    """The lines of the picture."""
    arena = [sys.executable, "-m", "arena.cli"]
    played = typed([*arena, "run", str(CONFIG)], folder).rstrip().split("\n")
    game = typed([*arena, "show", "17"], folder).rstrip().split("\n")
    lines = [Text.from_markup(f"{PROMPT}make demo")]
    lines += [Text.from_ansi(line) for line in played]
    lines += [Text(), Text.from_markup(f"{PROMPT}arena show 17"), Text("...", "dim")]
    lines += [Text.from_ansi(line) for line in game[-GAME_LINES:]]
    return lines


def draw(lines: Sequence[Text], file: Path) -> None:
    """Letter by letter, in the colours of the terminal theme."""
    fonts = Path(get_data_path()) / "fonts" / "ttf"
    plain = ImageFont.truetype(fonts / "DejaVuSansMono.ttf", SIZE)
    bold = ImageFont.truetype(fonts / "DejaVuSansMono-Bold.ttf", SIZE)
    wide, high = plain.getlength("x"), round(SIZE * 1.35)
    image = Image.new(
        "RGB",
        (round(COLUMNS * wide) + 2 * MARGIN, len(lines) * high + 2 * MARGIN),
        THEME.background_color,
    )
    pen = ImageDraw.Draw(image)
    console = Console(width=COLUMNS, color_system="truecolor", force_terminal=True)
    for row, line in enumerate(lines):
        column = 0
        for segment in line.render(console):
            style = segment.style or Style()
            for letter in segment.text:
                place = (MARGIN + column * wide, MARGIN + row * high)
                pen.text(place, letter, _colour(style), bold if style.bold else plain)
                column += 1
    image.quantize(32).save(file, optimize=True)


def _colour(style: Style) -> tuple[int, int, int]:
    front = style.color.get_truecolor(THEME) if style.color else THEME.foreground_color
    if not style.dim:
        return (front[0], front[1], front[2])
    mixed = [round(0.55 * a + 0.45 * b) for a, b in zip(front, THEME.background_color, strict=True)]
    return (mixed[0], mixed[1], mixed[2])


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        draw(scene(folder), Path(sys.argv[1]))
