"""Typed events of a game: their kinds, how they are gathered and checked, and read from speech."""
