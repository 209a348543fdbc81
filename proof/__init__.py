"""Proves by simulation with known truth what the arena's numbers promise."""
