"""Worlds in which games go missing, are asked about again, or are chosen by their result: what the
arena's verdicts and boards find there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from arena.compare.pairs import Met, PairedBlock, find_pairs
from arena.core import Games
from arena.core.ratings import BETA
from arena.ratings.probit import Probit
from arena.stats.evalue import EValue
from arena.stats.false_discoveries import discoveries, stakes
from arena.stats.fixed import FixedSize
from arena.stats.gsprt import GSPRT
from arena.stats.sequential import SequentialTest
from db.queries.games import PlayerRow
from proof.worlds import DUEL

Floats = NDArray[np.float64]

SEAT, LUCK = 0.6, 0.27
BLOCKS = 1_000
FIXED = 400
MOST = 0.05

Voids = Literal["a tenth of A's losses", "a tenth of all games", "a hundredth of all games"]


@dataclass(frozen=True, slots=True)
class Job:
    """Repetitions of one world."""

    world: str
    repetitions: int
    seed: np.random.SeedSequence


def pair_scores(
    blocks: int, edge: float, rng: np.random.Generator, seat: float = SEAT
) -> NDArray[np.int64]:
    """(blocks, 2): A's score in both games of swapped pairs, first with A in the first seat. A is
    better by `edge` standard deviations of a game, and a seed deals the share `LUCK` of the noise,
    which favours the same seat in both games."""
    first = float(ndtri(seat)) + sqrt(LUCK) * rng.normal(size=blocks)
    own = sqrt(1 - LUCK) * rng.normal(size=(blocks, 2))
    return np.asarray(
        np.stack([edge + first + own[:, 0] > 0, edge - first + own[:, 1] > 0], axis=1), np.int64
    )


def verdicts_with_voids(
    test: str, voids: Voids, edge: float, rng: np.random.Generator
) -> tuple[int, bool]:
    """What the test decides of blocks of which games go void, and whether it is said to stand."""
    games = pair_scores(FIXED if test == "fixed" else BLOCKS, edge, rng)
    void = rng.random(games.shape) < (0.01 if voids == "a hundredth of all games" else 0.1)
    if voids == "a tenth of A's losses":
        void &= games == 0
    blocks = [
        PairedBlock.of(*((None if lost else float(score), bool(lost)) for score, lost in pair))
        for pair in (zip(row, gone, strict=True) for row, gone in zip(games, void, strict=True))
    ]
    scores = [block.score for block in blocks if block.score is not None]
    rule: SequentialTest = {
        "gsprt": GSPRT(), "evalue": EValue(), "fixed": FixedSize(len(scores)),
    }[test]  # fmt: skip
    verdict = rule.verdict(scores)
    if not verdict.favours:
        return 0, True
    # The comparison ends with the block that decides.
    used, known = 0, 0
    while known < verdict.blocks:
        known += blocks[used].score is not None
        used += 1
    ranges = [block.between for block in blocks[:used]]
    return verdict.favours, rule.outcomes(ranges) == {verdict.favours}


VOID_WORLDS: tuple[tuple[Voids, float], ...] = (
    ("a tenth of A's losses", 0.0),
    ("a tenth of all games", 0.0),
    ("a tenth of all games", 0.25),
    ("a hundredth of all games", 0.25),
)
TESTS = ("gsprt", "evalue", "fixed")


def play_voids(job: Job) -> list[tuple[int, bool]]:
    """Per repetition, what one test finds in one world: `favours`, and whether it stands."""
    test, voids, edge = VOIDS[job.world]
    rng = np.random.default_rng(job.seed)
    return [verdicts_with_voids(test, voids, edge, rng) for _ in range(job.repetitions)]


VOIDS = {
    f"{test}, {voids}, {edge:g}": (test, voids, edge)
    for test in TESTS
    for voids, edge in VOID_WORLDS
}

# Which agents are better: all equal, or two groups of six.
AGENTS, ROUNDS = 12, 120
GROUPS = {"12 equal agents": 0.0, "two groups of six": 0.45}


def play_among(job: Job) -> list[tuple[float, float, float]]:
    """Per repetition of all pairs, by turns: the share of false ones among those found different,
    of the different ones found, and whether any pair is found by `evalue` alone."""
    gap = GROUPS[job.world]
    rng = np.random.default_rng(job.seed)
    first, second = np.triu_indices(AGENTS, 1)
    better = np.where(first < AGENTS // 2, gap, 0.0) - np.where(second < AGENTS // 2, gap, 0.0)
    pairs, times = len(first), job.repetitions
    scores = np.stack(
        [
            pair_scores(times * ROUNDS, float(edge), rng).sum(axis=1).reshape(times, ROUNDS)
            for edge in better
        ],
        axis=1,
    )
    counts = np.zeros((times, pairs, 5))
    logs = np.full((times, pairs, 2), -log(2.0))
    rejected = np.zeros((times, pairs), dtype=bool)
    alone = np.zeros((times, pairs), dtype=bool)
    favours = np.zeros((times, pairs))
    everything = np.zeros((times, pairs, 5))
    rows = np.arange(times)
    for block in range(ROUNDS):
        for pair in range(pairs):
            place = 2 * scores[:, pair, block]
            everything[rows, pair, place] += 1
            alone[:, pair] |= stakes(everything[:, pair]).max(axis=1) >= log(1 / MOST)
            counts[rows, pair, place] += ~rejected[:, pair]
            logs[:, pair] = stakes(counts[:, pair])
            # Nobody is rejected by e-values that are all below 1 / alpha.
            if (logs[:, pair].max(axis=1) >= log(1 / MOST)).any():
                rejected |= discoveries(logs.max(axis=2), MOST)
        favours = np.where(rejected, np.where(logs[..., 0] >= logs[..., 1], 1, -1), 0)
    false = (rejected & (favours != np.sign(better))).sum(axis=1)
    found = rejected.sum(axis=1)
    different = better != 0
    power = (
        (rejected & different).sum(axis=1) / different.sum() if different.any() else np.zeros(times)
    )
    return [
        (float(wrong), float(share), float(one))
        for wrong, share, one in zip(
            false / np.maximum(found, 1), power, alone.any(axis=1), strict=True
        )
    ]


def play_again(job: Job) -> list[int]:
    """Per repetition, how many of so many comparisons of two equal agents find A better."""
    rng = np.random.default_rng(job.seed)
    found = []
    for _ in range(job.repetitions):
        wins = 0
        for _ in range(int(job.world)):
            verdict = GSPRT().verdict((pair_scores(BLOCKS, 0.0, rng).sum(axis=1) / 2).tolist())
            wins += verdict.favours > 0
        found.append(wins)
    return found


SINGLES = 200
FIRST = {"always": 1.0, "in four of five": 0.8, "by lot": 0.5}


def play_singles(job: Job) -> list[tuple[bool, bool]]:
    """Per repetition of single games between equals in which A often sits first: whether one of
    them is found better by games as blocks of one, and by those that `--played` makes pairs of."""
    rng = np.random.default_rng(job.seed)
    found = []
    for _ in range(job.repetitions):
        first = rng.random(SINGLES) < FIRST[job.world]
        wins = rng.normal(size=SINGLES) < np.where(first, 1, -1) * float(ndtri(SEAT))
        met = [
            Met(at, at, tuple(_seat(n, agent, agent != (1 if won else 2)) for n, agent in
                              enumerate((1, 2) if begins else (2, 1))))
            for at, (begins, won) in enumerate(zip(first, wins, strict=True))
        ]  # fmt: skip
        matched = find_pairs(met, 1, 2).matched.get("mirrored", [])
        scores = [block.score for block in matched if block.score is not None]
        ones = EValue(games=1).verdict(wins.astype(float).tolist())
        found.append((ones.favours != 0, EValue().verdict(scores).favours != 0))
    return found


def _seat(place: int, agent: int, lost: bool) -> PlayerRow:
    return PlayerRow(place, agent, "", "", "", "", None, None, int(lost), 1.0, 0)


GAMES, GIVES_UP = 600, 0.4
ERRORS = ("as losses", "as draws", "left out")


def play_errors(job: Job) -> list[tuple[float, float, float]]:
    """Per repetition, what an agent equal to the pool's mean gains, in beta, that gives up in
    `GIVES_UP` of the games that it loses, with these games as losses, as draws, and left out."""
    rng = np.random.default_rng(job.seed)
    found = []
    for _ in range(job.repetitions):
        truth = DUEL.truth(rng)
        truth.by_role[0] = truth.by_role[1:].mean(axis=0)
        games = truth.play(GAMES, rng)
        agents, ranks = (
            np.asarray(column).reshape(-1, 2) for column in (games.agents, games.ranks)
        )
        lost = ((agents == 0) & (ranks == 1)).any(axis=1)
        erred = lost & (rng.random(GAMES) < GIVES_UP)
        found.append(
            (
                _gain(games, np.ones(GAMES, dtype=bool), ranks),
                _gain(games, np.ones(GAMES, dtype=bool), np.where(erred[:, None], 0, ranks)),
                _gain(games, ~erred, ranks),
            )
        )
    return found


def _gain(games: Games, kept: NDArray[np.bool_], ranks: NDArray[np.int64]) -> float:
    """The rating of agent 0 above the pool's mean, in beta, by the official fit of these games."""
    seats = np.repeat(kept, 2)
    chosen = Games(
        sizes=np.asarray(games.sizes)[kept],
        agents=np.asarray(games.agents)[seats],
        teams=np.asarray(games.teams)[seats],
        ranks=ranks[kept].ravel(),
        roles=np.asarray(games.roles)[seats],
        role_names=games.role_names,
    )
    mean, _ = Probit().fit(chosen).contrasts(range(DUEL.agents))
    return float(mean[0] / BETA)
