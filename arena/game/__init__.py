"""One game: its loop, its logs, its seats."""
