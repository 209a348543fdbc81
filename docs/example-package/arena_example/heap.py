"""What the subtraction game adds to the page of a game: the heap, and who took how many."""

from __future__ import annotations

from importlib.resources import files


def template() -> str:
    """The template, which is drawn with `game` (arena.viewer.seen.SeenGame)."""
    return files("arena_example").joinpath("heap.html").read_text(encoding="utf-8")
