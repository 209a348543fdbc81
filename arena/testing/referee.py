"""Watches many games of some rules for what no rules should do: chips that come from nowhere, dead
players who act, games that are won twice, places that never win.

    from arena.testing.referee import referee

    for finding in referee(lambda: MyGame(name="MyGame-v0")):
        print(finding.law, finding.what, finding.games)

What it can see of a game is told by the environment's `books` (`arena.core.KeepsBooks`), if it has
them. `python -m arena.testing.referee` plays every environment and prints docs/environments.md.
"""

from __future__ import annotations

import math
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from arena import registry
from arena.core import (
    Environment,
    EnvironmentCrash,
    EnvironmentSpec,
    GameBooks,
    Observation,
    Outcome,
    Termination,
    UsageError,
)
from arena.testing.policies import ActionPolicy, offered, plausible
from arena.testing.transcript import MakeEnvironment

GAMES = 60
TURN_LIMIT = 300
CHANCE = 0.001
"""A place that never wins is found when that would happen by chance less often than this."""


class Law(StrEnum):
    """What every game is held to."""

    RUNS = "the rules do not raise"
    CONSERVED = "nothing comes from nowhere"
    OUT = "who is out does not act"
    ONE_RESULT = "a game ends once"
    SCORES = "scores are from -1 to 1"
    SANE = "no state is amiss"
    SEATS = "every place can win"


@dataclass(frozen=True, slots=True)
class Finding:
    """A law that was broken in so many `games`; `what` happened in the first of them, the game of
    this `seed`."""

    law: Law
    what: str
    games: int
    seed: int


@dataclass(slots=True)
class _Game:
    """What one game broke, by law and by what of it, whether it ended by its rules, and who came
    first then, unless all did."""

    players: int
    broken: dict[tuple[Law, str], str] = field(default_factory=dict)
    natural: bool = False
    first: frozenset[int] = frozenset()

    def found(self, law: Law, what: str, of: str = "") -> None:
        self.broken.setdefault((law, of), what)


def numbered(observation: Observation, rng: random.Random) -> str:
    """`offered`, with a number where a letter stands for one: `[Bet N]` becomes `[Bet 4]`."""
    return _LETTER.sub(lambda _: str(rng.choice(_NUMBERS)), offered(observation, rng))


def careless(observation: Observation, rng: random.Random) -> str:
    """`numbered`, with every fourth action one that nobody can read."""
    return "nothing" if rng.random() < 0.25 else numbered(observation, rng)


_NUMBERS = (1, 2, 3, 5, 8, 13, 21, 34)
_LETTER = re.compile(r"\b[NXYZ]\b")
_POLICIES: Sequence[ActionPolicy] = (numbered, careless, numbered, plausible)


@dataclass(frozen=True, slots=True)
class RulesVerdict:
    """What was found in so many `games` of an environment; `natural` of them ended by their rules,
    not by an error and not at the turn limit. Nothing is known of how the rules of others end."""

    games: int
    natural: int
    findings: tuple[Finding, ...]


def referee(
    make: MakeEnvironment, *, games: int = GAMES, turn_limit: int = TURN_LIMIT
) -> RulesVerdict:
    """What many games break, between players who choose at random among what they are offered,
    some of them carelessly. Every fifth game is of the most players, every other fifth of two more
    than the fewest, the others of the fewest.

    The same on every machine. Raises UsageError where the rules cannot be started at all.
    """
    spec = make().spec
    played: list[_Game] = []
    for seed in range(games):
        more = {3: min(spec.min_players + 2, spec.max_players), 4: spec.max_players}
        players = more.get(seed % 5, spec.min_players)
        played.append(_play(make(), seed, players, _POLICIES[seed % 4], turn_limit))
    findings = []
    kinds = {kind for game in played for kind in game.broken}
    for law, of in sorted(kinds, key=lambda kind: ([*Law].index(kind[0]), kind[1])):
        broken = [seed for seed, game in enumerate(played) if (law, of) in game.broken]
        what = played[broken[0]].broken[law, of]
        findings.append(Finding(law, what, len(broken), broken[0]))
    few = [game.first for game in played if game.players == spec.min_players and game.first]
    findings += _seats(few, spec.min_players)
    return RulesVerdict(games, sum(game.natural for game in played), tuple(findings))


def _seats(firsts: Sequence[frozenset[int]], players: int) -> Iterator[Finding]:
    """Places that never came first, where chance alone would let them."""
    never = [place for place in range(players) if not any(place in first for first in firsts)]
    if never and (1 - 1 / players) ** len(firsts) < CHANCE:
        who = f"player {never[0]}" if len(never) == 1 else f"players {', '.join(map(str, never))}"
        yield Finding(Law.SEATS, f"{who} never came first", len(firsts), 0)


def _play(
    environment: Environment, seed: int, players: int, policy: ActionPolicy, turn_limit: int
) -> _Game:
    game, rng = _Game(players), random.Random(seed)
    environment.reset(seed=seed, num_players=players)
    before, turn, done = _books(environment), 0, False
    try:
        while not done and turn < turn_limit:
            seen = environment.observe()
            if seen.player_index in before.out:
                game.found(Law.OUT, f"player {seen.player_index} is out and acts in turn {turn}")
            step = environment.step(environment.prepare(policy(seen, rng)))
            done = step.done
            books = _books(environment)
            # A hand that an error ends is not paid out.
            if not (done and step.invalid):
                _compare(game, before, books, turn)
            for what in books.amiss:
                game.found(Law.SANE, f"{what}, turn {turn}", of=what)
            if books.late_results:
                game.found(Law.ONE_RESULT, f"a game that was over got a result in turn {turn}")
            before, turn = books, turn + 1
        outcome = environment.outcome(turn_limit=not done)
    except EnvironmentCrash as crash:
        game.found(Law.RUNS, str(crash).partition(". The game is void")[0])
        return game
    _score(game, outcome)
    return game


def _books(environment: Environment) -> GameBooks:
    keeps = getattr(environment, "books", None)
    return GameBooks() if keeps is None else keeps()


def _compare(game: _Game, before: GameBooks, after: GameBooks, turn: int) -> None:
    for name, was in before.conserved.items():
        now = after.conserved.get(name)
        if now is not None and not math.isclose(now, was):
            game.found(Law.CONSERVED, f"{was:g} {name} became {now:g} in turn {turn}", of=name)


def _score(game: _Game, outcome: Outcome) -> None:
    rewards = [player.reward for player in outcome.players]
    if wrong := [reward for reward in rewards if not -1 <= reward <= 1]:
        game.found(Law.SCORES, f"a score of {wrong[0]:.4g}")
    game.natural = outcome.termination is Termination.NATURAL
    if game.natural and len({player.rank for player in outcome.players}) > 1:
        game.first = frozenset(p.player_index for p in outcome.players if p.rank == 0)


def page(verdicts: Mapping[str, RulesVerdict]) -> str:
    """docs/environments.md, from the verdicts on environments by name."""
    specs = {name: registry.environment(name, {})().spec for name in registry.names("environments")}
    ours = {name: spec for name, spec in specs.items() if spec.package == "textarena"}
    faults: dict[tuple[str, bool], list[str]] = {}
    for name, spec in ours.items():
        for fault, mended in _faults(spec):
            faults.setdefault((fault, mended), []).append(f"`{name}`")
    found = [row for name in ours if name in verdicts for row in rows(name, verdicts[name])]
    played = [_played(name, spec, verdicts.get(name)) for name, spec in ours.items()]
    return _PAGE.format(
        count=len(ours),
        games=GAMES,
        turns=TURN_LIMIT,
        faults=_table(
            ("known fault", "of", "mended"),
            [
                (fault, ", ".join(names), "in the twins" if mended else "no")
                for (fault, mended), names in faults.items()
            ],
        ),
        found=_table(("environment", "law", "games", "the first of them"), found),
        played=_table(("environment", "players", "ended by the rules"), played),
    )


def rows(name: str, verdict: RulesVerdict) -> list[tuple[str, ...]]:
    """What was found in the games of an environment, as the page has it."""
    return [
        (f"`{name}`", found.law.value, f"{found.games} of {verdict.games}",
         found.what if found.law is Law.SEATS else f"seed {found.seed}: {found.what}")
        for found in verdict.findings
    ]  # fmt: skip


def _faults(spec: EnvironmentSpec) -> Iterator[tuple[str, bool]]:
    """The known faults of an environment, and whether its twin is without them."""
    left = () if spec.twin is None else registry.environment(spec.twin, {})().spec.faults
    for fault in spec.faults:
        yield fault, spec.twin is not None and fault not in left


def _played(name: str, spec: EnvironmentSpec, verdict: RulesVerdict | None) -> tuple[str, ...]:
    players = (
        str(spec.min_players)
        if spec.min_players == spec.max_players
        else f"{spec.min_players} to {spec.max_players}"
    )
    ended = "not played" if verdict is None else f"{verdict.natural} of {verdict.games}"
    return f"`{name}`", players, ended


def _table(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    cells = [titles, ["---"] * len(titles), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


_PAGE = """\
# Environments

{count} environments are offered, from the pinned release of TextArena. `arena environments list`
lists them; `arena environments show NAME` tells players, roles, options and known faults of one.
Scenarios, which are written as files, are on [a page of their own](scenarios.md).

Upstream stays what a name means. Where a mend is small there is a twin, of the same name with
`-mended` behind it, whose games are rated in a pool of their own; the shipped tournaments play the
twins.

This page is printed by `python -m arena.testing.referee > docs/environments.md`, in two minutes.

## Known faults

{faults}

## What the referee found

The referee plays {games} games of every environment, of at most {turns} turns, between players who
choose at random among what they are offered, some of them carelessly. It holds the rules to what
every game is held to; `make check` compares what it finds with this page.

{found}

## What was played

Little is known of rules whose games all end by the error of a random player. What needs a newer
Python than 3.11 is not played here.

{played}
"""


def main() -> int:
    """Play every environment that the oldest Python can read, and print the page."""
    verdicts = {}
    for name in registry.names("environments"):
        try:
            verdicts[name] = referee(registry.environment(name, {}))
        except UsageError as error:
            sys.stderr.write(f"{error}\n")
    sys.stdout.write(page(verdicts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
