"""Torture: the arena killed, starved, lied to and capped; servers keep the books that count."""
