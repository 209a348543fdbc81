"""The matchmaker `informative`: the games that tell most about who is better, for the money.

A lineup is worth the variance that its games are expected to take from the differences of all pairs
of agents, each weighted by its part in the question; see `arena.matchmakers.gain` and `goals`.
Games that are scheduled and not settled count as played already. A pair that the schedule joins too
loosely plays first, whatever the results say: see `arena.matchmakers.connectivity`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import Unpack

import numpy as np

from arena.core import Pairing, Part, ScheduleSpec, Standings, UsageError
from arena.core.arrays import Floats, Integers
from arena.core.ratings import SIGMA
from arena.matchmakers.adaptive import LAG, AdaptiveSchedule
from arena.matchmakers.blocks import Lineup
from arena.matchmakers.connectivity import LEAST, Connectivity, compared
from arena.matchmakers.gain import Comparisons, Knowledge, comparisons, misordered
from arena.matchmakers.goals import GOAL, Weigh, weigh
from arena.matchmakers.options import Option, switch
from arena.matchmakers.schedule import Frame, frame
from arena.matchmakers.tally import Tally, first_players

VERSION = Option(2, "2 or 1", lambda value: type(value) is int and value in (1, 2))

CHEAPEST = 0.05
"""A lineup counts as costing at least this part of what an average one does: else what is free
would be played without end."""

EQUAL = 1e-9
"""Worths that differ by less than this part are equal."""

MOVES = 2
"""How many changes a lineup is given per slot, at most: it rarely takes more than one."""


def informative(**spec: Unpack[ScheduleSpec]) -> AdaptiveSchedule:
    """Which lineup is searched for, not tried out: it begins with the two agents that are worth
    most and others by lot, and changes one agent or swaps two as long as that is worth more.

    Options: `goal` (default `order`: who is better than whom; `top 3`: which are the best three),
    `lag` (default 32: the most games at once; what they will tell is expected, not known),
    `dollars` (default true: worth is per expected dollar, from what games have cost each
    agent so far; agents of whom nothing is known cost what the others do on average), and `seating`
    (rotate, clones or opposite), `blocks` and `repeat`, as all matchmakers have them.

    It answers its question, not every other one: in narrow pools its ratings are up to .03 BETA
    less exact than those of `random`, and in games of teams it tells pairs apart hardly sooner.
    Measured in docs/proof.md, narrow.

    `version` is that of the rule, kept with a tournament so that it is played to its end by the one
    that it was begun with. 2, the newest, weighs pairs by the goal, takes the standings averaged
    over the widths that the pool may have, and joins every cut of the pool. 1 weighs pairs by the
    probability of the wrong order alone, under a prior of two BETA: in pools narrower than that it
    makes islands.
    """
    own = {"goal": GOAL, "lag": LAG, "dollars": switch(True), "version": VERSION}
    table = frame("informative", own, **spec)
    first = table.options["version"] == 1
    if first and table.options["goal"] != "order":
        raise UsageError("matchmaker informative: version 1 has no `goal` but `order`")
    worth = misordered if first else weigh(table.options["goal"], table.agents)
    under_way = _UnderWay(table)
    connectivity = None if first else Connectivity(table.agents, table.seating.casting)
    return AdaptiveSchedule(
        table,
        lambda standings, tally: _Search(table, standings, tally, under_way, worth, connectivity),
        width=SIGMA if first else None,
    )


class _UnderWay:
    """What the games of a schedule compare, kept for those that are not settled."""

    def __init__(self, frame: Frame) -> None:
        self._position = {agent: at for at, agent in enumerate(frame.agents)}
        self._casting = frame.seating.casting
        self._rows: dict[Pairing, tuple[Floats, Floats, Floats]] = {}

    def rows(self, pairings: Sequence[Pairing]) -> tuple[Floats, Floats, Floats]:
        """What `Knowledge.expecting` takes, of all these games."""
        self._rows = {
            pairing: self._rows.get(pairing) or compared(pairing, self._position, self._casting)
            for pairing in pairings
        }
        weights, seats, counted = zip(*self._rows.values(), strict=True)
        return np.concatenate(weights), np.concatenate(seats), np.concatenate(counted)


class _Search:
    """Looks for the lineup that is worth most, and takes note of what is under way."""

    def __init__(
        self,
        frame: Frame,
        standings: Standings,
        tally: Tally,
        under_way: _UnderWay,
        worth: Weigh,
        connectivity: Connectivity | None,
    ) -> None:
        self._frame = frame
        self._tally = tally
        at = [standings.agents.index(agent) for agent in frame.agents]
        covariance = np.asarray(standings.covariance, np.float64)[np.ix_(at, at)]
        self._settled = Knowledge.of(np.asarray(standings.mean, np.float64)[at], covariance, worth)
        dollars = np.asarray(standings.dollars, np.float64)[at]
        self._dollars = _prices(dollars if frame.options["dollars"] else np.full(len(at), np.nan))
        self._told = self._settled.told()
        self._cost = np.maximum(np.add.outer(self._dollars, self._dollars) / 2.0, CHEAPEST)
        np.fill_diagonal(self._cost, np.inf)
        self._under_way = under_way
        self._connectivity = connectivity
        self._scheduled = list(standings.scheduled)
        self._settled_games = standings.settled

    def note(self, pairings: Sequence[Pairing]) -> None:
        """Count what these pairings are expected to tell as known."""
        self._scheduled += pairings

    def draw(self, seed: int, rng: Random) -> Lineup:
        shape = self._frame.seating
        plan, parts = shape.plan(seed), shape.casting(seed)
        knowledge = self._settled
        if waiting := self._scheduled[self._settled_games :]:
            knowledge = knowledge.expecting(*self._under_way.rows(waiting))
        worth = knowledge.pairs(self._told)
        worth /= self._cost
        wanted = _Wanted(
            knowledge,
            comparisons(plan, parts, shape.slots),
            self._dollars,
            self._need(parts, first_players(plan[0], shape.slots), rng),
        )
        loosest = self._loosest()
        lineup = wanted.start(rng, worth if loosest is None else loosest)
        kept = () if loosest is None else wanted.opposed()
        for _ in range(MOVES * shape.slots):
            better = wanted.improved(lineup, kept)
            if better is None:
                break
            lineup = better
        return tuple(self._frame.agents[at] for at in lineup)

    def _loosest(self) -> Floats | None:
        """(n, n): how loosely the schedule joins each pair, where it does one too loosely."""
        if self._connectivity is None:
            return None
        self._connectivity.catch_up(self._scheduled)
        found = self._connectivity.resistances()
        return found if found.max() * LEAST > 1.0 else None

    def _need(self, parts: Sequence[Part], players: Sequence[int], rng: Random) -> Floats:
        """(n, slots) in [0, 1): what decides between lineups that are worth the same: who has
        played less, who has been this less, a lot."""
        played = self._tally.played[:, None]
        been = self._tally.been(parts, players)
        lots = np.array([[rng.random()] for _ in self._tally.played])
        need: Floats = played + been + lots
        needed: Floats = need / (need.max() + 1.0)
        return needed


class _Wanted:
    """The worth of lineups of one block, and better ones than a given one."""

    def __init__(
        self,
        knowledge: Knowledge,
        compared: Comparisons,
        dollars: Floats,
        need: Floats,
    ) -> None:
        self._knowledge = knowledge
        self._compared = compared
        self._dollars = dollars
        self._need = need
        slots, agents = len(compared.games), len(dollars)
        self._least, self._most = slots // agents, -(-slots // agents)

    def opposed(self) -> tuple[int, ...]:
        """Two slots that are on opposite sides; none where the rules have but one team."""
        if not len(self._compared.rows):
            return ()
        sides = self._compared.rows[0]
        return int(np.argmax(sides)), int(np.argmin(sides))

    def start(self, rng: Random, pairs: Floats) -> Integers:
        """The pair of agents that has most of `pairs` (n, n) in two slots that are on opposite
        sides, and others by lot."""
        agents, slots = range(len(self._dollars)), len(self._compared.games)
        need = self._need[:, 0]
        one, other = divmod(_best(pairs.ravel(), np.add.outer(need, need).ravel()), len(agents))
        # As many seats for everybody as they go round, then the two to opposite sides.
        rest = [*agents] * (slots // len(agents)) + rng.sample(agents, len(agents))
        lineup = rng.sample(rest[:slots], slots)
        for agent, slot in zip((one, other), self.opposed(), strict=False):
            if agent not in lineup:
                lineup[slot] = agent
            at = lineup.index(agent)
            lineup[at], lineup[slot] = lineup[slot], lineup[at]
        return np.array(lineup)

    def improved(self, lineup: Integers, kept: Sequence[int]) -> Integers | None:
        """The lineup after the best change: another agent in one slot, or two slots swapped, those
        of `kept` left alone. None if no change is for the better."""
        games, slots = self._compared.games, np.arange(len(lineup))
        share = games / games.sum()
        taken = np.bincount(lineup, minlength=len(self._dollars))
        worth = self._knowledge.replacements(lineup, self._compared)
        cost = (self._dollars - self._dollars[lineup, None]) * share[:, None]
        worth /= np.maximum(cost + self._dollars[lineup] @ share, CHEAPEST)
        need = self._need[lineup, slots]
        tie = need.sum() - need[:, None] + self._need.T
        worth[:, taken >= self._most] = -1.0
        worth[taken[lineup] <= self._least] = -1.0
        worth[list(kept)] = -1.0
        pairs = list(combinations([slot for slot in slots.tolist() if slot not in kept], 2))
        swapped = np.repeat(lineup[None], len(pairs) + 1, axis=0)
        for k, (one, other) in enumerate(pairs):
            swapped[k, [one, other]] = lineup[[other, one]]
        swapped_worth = self._knowledge.gains(swapped, self._compared)
        swapped_worth /= np.maximum(self._dollars[swapped] @ share, CHEAPEST)
        worths = np.concatenate([worth.ravel(), swapped_worth])
        ties = np.concatenate([tie.ravel(), self._need[swapped, slots].sum(axis=1)])
        best = _best(worths, ties)
        if worths[best] <= worths[-1] * (1.0 + EQUAL) and ties[best] >= ties[-1]:
            return None
        if best >= worth.size:
            found: Integers = swapped[best - worth.size]
            return found
        changed = lineup.copy()
        slot, agent = divmod(best, len(self._dollars))
        changed[slot] = agent
        return changed


def _best(worth: Floats, tie: Floats) -> int:
    """Where the greatest worth is; among those that are equal but for the last digits, in which
    machines differ, where the tie is smallest."""
    equal = np.flatnonzero(worth >= worth.max() * (1.0 - EQUAL))
    return int(equal[np.argmin(tie[equal])])


def _prices(dollars: Floats) -> Floats:
    """(n,) in parts of the average; those not known are average, as are all if none is above 0."""
    known = dollars[np.isfinite(dollars) & (dollars >= 0.0)]
    average = float(known.mean()) if len(known) else 0.0
    if average <= 0.0:
        return np.ones(len(dollars))
    return np.where(np.isfinite(dollars) & (dollars >= 0.0), dollars / average, 1.0)
