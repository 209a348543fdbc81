"""Seats for programs that somebody else writes and runs: what they are sent, and how."""
