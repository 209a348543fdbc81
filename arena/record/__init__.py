"""The record of a game: written while it is played, read back to resume or replay it."""
