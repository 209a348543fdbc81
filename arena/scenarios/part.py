"""What a scenario adds to the page of its games: scenes, values, the verdict, points, secrets."""

from __future__ import annotations

from importlib.resources import files


def template() -> str:
    """The template, which is drawn with `game`: what somebody may see of one, as plain data."""
    return files("arena.scenarios").joinpath("part.html").read_text(encoding="utf-8")
