"""What a score test of an additive fit says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScoreTest:
    """Whether an additive fit does without `effects` more effects: `excess` is their squared scores
    over what chance makes them (about 1 where it does), `p` the probability of as much by chance.
    """

    effects: int
    excess: float
    p: float
