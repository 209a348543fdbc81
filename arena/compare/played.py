"""Compares two agents by the games that are on record already: where they met, swapped on one seed.

A single game favours the agent whose seat wins more easily. Two games from
one seed in which A and B had each other's parts are a fair block, whatever they were played for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from arena.compare.answer import Comparison, fixed_games, sentence
from arena.compare.question import Question, two_agents
from arena.core import UsageError
from arena.matchmakers.duel import BLOCK, SEATINGS, DuelOptions
from arena.orchestrator.lookup import Rules, rules_of
from arena.stats.evalue import EValue
from arena.stats.sequential import Verdict
from db import Agent, Repository, Session, get_session
from db.database import Source
from db.queries.games import PlayerRow, games, games_of_both
from db.selection import Selection

SeatPart = tuple[str | None, ...] | int
"""What there is to swap: the role and team, or the place itself where there are none."""


@dataclass(frozen=True, slots=True)
class Met:
    """A game in which A and B met, as the schedule has it."""

    key: int
    seed: int | None
    seats: tuple[PlayerRow, ...]

    def of(self, agent: int) -> list[PlayerRow]:
        return [seat for seat in self.seats if seat.agent_id == agent]

    def parts(self, agent: int) -> Counter[SeatPart]:
        return Counter(map(_part, self.of(agent)))

    def usable(self) -> bool:
        """Whether the game has a result: every rank is there, and no reward is missing among
        others or not a number."""
        rewards = [seat.reward for seat in self.seats]
        if any(seat.rank is None for seat in self.seats):
            return False
        if all(reward is None for reward in rewards):
            return True
        return not any(reward is None or math.isnan(reward) for reward in rewards)

    def score(self, a: int, b: int) -> float:
        first, second = (min(seat.rank or 0 for seat in self.of(agent)) for agent in (a, b))
        return 0.5 if first == second else float(first < second)

    def together(self, a: int, b: int) -> bool:
        """Whether a team has them both: such a game says nothing of who is better."""
        teams = [{seat.team for seat in self.of(agent)} - {None} for agent in (a, b)]
        return bool(teams[0] & teams[1])

    def seating(self, a: int, b: int) -> str:
        """Which question the game asks."""
        if len(self.seats) == 2 or any(seat.team is None for seat in self.seats):
            return "mirrored"
        return "clones" if {seat.agent_id for seat in self.seats} == {a, b} else "opposite"


def _part(seat: PlayerRow) -> SeatPart:
    bare = seat.role is None and seat.team is None
    return seat.player_index if bare else (seat.role, seat.team)


@dataclass(frozen=True, slots=True)
class _Found:
    """What is on record: block scores in the order in which they were rated, by seating; the first
    game of each seed without a pair, of which there are `alone`; and how many were left out:
    `repeated` are further games of a seed that has
    been counted, which share its luck and are no independent evidence."""

    blocks: dict[str, list[float]]
    singles: list[float]
    alone: int
    together: int
    unusable: int
    repeated: int


def played(url: Source, question: Question, selection: Selection | None = None) -> Comparison:
    """What the games on record say, those of a selection if one is given. Nothing is played or
    written.

    Pairs of games are blocks, one for each seed, in the order in which they were rated; games that
    wait to be rated are left out, because the short ones end first. Of several seatings, it is the
    one that was asked for or that has the most blocks. Where no two games are a pair, single games
    are blocks of one, for the test `evalue` alone: it needs only that A is not expected to score
    more than `h0` whatever came before, as where seats are drawn by lot, while the others need
    blocks of one kind.

    Raises UsageError for agents that never met and a test that these games cannot be asked with,
    BadSelection for what is not on record.
    """
    _check(question)
    test = question.test or "evalue"
    with get_session(url, create=False) as session:
        repo = Repository(session)
        a, b = two_agents(repo, question)
        rules = rules_of(repo, question.environment, question.players)
        if rules.key is None:
            raise UsageError(f"no game of {rules.name} is on record{_to_play(question)}")
        assert a.id is not None
        assert b.id is not None
        selection = replace(selection or Selection(), environment=rules.key)
        rows, dollars = games_of_both(session, selection, a.id, b.id)
        if not rows:
            _explain_none(session, selection, rules, (a, b), question)
    met = [Met(row.game_id, row.seed, row.players) for row in rows]
    found = _sort(met, a.id, b.id)
    seating = question.seating or max(
        found.blocks, key=lambda name: len(found.blocks[name]), default="mirrored"
    )
    options = DuelOptions.read({"seating": seating, **question.options(test)})
    blocks = found.blocks.get(seating, [])
    notes = [*rules.notes(), *_notes(found, seating, question.seating is None)]
    if blocks:
        verdict = options.sequential(len(blocks) * BLOCK).verdict(blocks)
        scores, games = blocks, BLOCK
    else:
        verdict, scores = _singles(found, options, question), found.singles
        games = 1
        notes.append(
            "no two games of theirs are a pair on one seed with their parts swapped: single games "
            "are blocks of one, and the agent with the easier seats is favoured"
        )
    if options.test == "gsprt":
        notes.append(
            "the error rates hold if h0, h1, alpha and beta were chosen before anybody saw these "
            "games; --test evalue asks for h0 alone"
        )
    if verdict.unused:
        notes.append(f"{verdict.unused} later blocks were not needed and not looked at")
    return Comparison(
        a=a.label,
        b=b.label,
        environment=rules.name,
        players=rules.players,
        seating=seating if blocks else "single",
        options=options,
        tournament=None,
        verdict=verdict,
        decided=verdict.decided,
        sentence=sentence(a.label, b.label, options, verdict, len(met), len(met)),
        settled=len(met),
        void=0,
        dollars=dollars,
        fixed_games=fixed_games(options, scores[: verdict.blocks], games),
        notes=tuple(notes),
    )


def _check(question: Question) -> None:
    if question.test == "fixed":
        raise UsageError(
            "a fixed-size test may look once, at a number of games stated before the first, and "
            "these are played: --test evalue may be looked at at any time, or state the number and "
            "play: --test fixed --games N without --played"
        )
    if question.field or question.games is not None:
        raise UsageError(
            "--played takes the games as they are: --field and --games are for games to be played"
        )
    if question.seating is not None and question.seating not in SEATINGS:
        DuelOptions.read({"seating": question.seating})


def _sort(met: Iterable[Met], a: int, b: int) -> _Found:
    """Put together the pairs: each game with the first one before it that is its mirror image."""
    blocks: dict[str, list[tuple[int, float]]] = {}
    waiting: dict[tuple[object, ...], list[tuple[int, Met]]] = {}
    together = unusable = repeated = 0
    counted: set[int | None] = set()
    for place, game in enumerate(met):
        if not game.usable():
            unusable += 1
            continue
        if game.together(a, b):
            together += 1
            continue
        if game.seed is not None and game.seed in counted:
            repeated += 1
            continue
        group = waiting.setdefault((game.key,) if game.seed is None else (game.seed,), [])
        mirror = next(
            (
                found
                for found in group
                if game.seed is not None
                and found[1].parts(a) == game.parts(b)
                and found[1].parts(b) == game.parts(a)
            ),
            None,
        )
        if mirror is None:
            group.append((place, game))
            continue
        repeated += len(group) - 1
        group.clear()
        counted.add(game.seed)
        score = (mirror[1].score(a, b) + game.score(a, b)) / BLOCK
        blocks.setdefault(game.seating(a, b), []).append((place, score))
    singles = sorted((group[0] for group in waiting.values() if group), key=lambda one: one[0])
    return _Found(
        blocks={name: [score for _, score in sorted(found)] for name, found in blocks.items()},
        singles=[game.score(a, b) for _, game in singles],
        alone=sum(map(len, waiting.values())),
        together=together,
        unusable=unusable,
        repeated=repeated,
    )


def _singles(found: _Found, options: DuelOptions, question: Question) -> Verdict:
    if not found.singles:
        raise UsageError(
            f"{question.a} and {question.b} have met, but no game of theirs says who is better "
            f"({found.together} on one team, {found.unusable} without a result)"
            f"{_to_play(question)}"
        )
    if options.test != "evalue" or question.seating is not None:
        wanted = f"with --seating {question.seating} " if question.seating else ""
        raise UsageError(
            f"no two games of {question.a} and {question.b} {wanted}are a pair on one seed with "
            "their parts swapped, and single games are not of one kind: --test evalue without "
            f"--seating can be asked{_to_play(question)}"
        )
    return EValue(options.h0, options.alpha, games=1).verdict(found.singles)


def _notes(found: _Found, seating: str, chosen: bool) -> list[str]:
    notes = []
    others = {name: len(scores) for name, scores in found.blocks.items() if name != seating}
    if others and chosen:
        told = ", ".join(f"{BLOCK * n} games {name}" for name, n in others.items())
        notes.append(f"other seatings ask something else and are left out: {told}; see --seating")
    if found.blocks.get(seating) and found.singles:
        notes.append(f"{found.alone} games of theirs have no partner and are left out")
    if found.together:
        notes.append(f"{found.together} games have them on one team and say nothing of the two")
    if found.repeated:
        notes.append(
            f"{found.repeated} further games on seeds that are counted already are left out: they "
            "share their luck"
        )
    if found.unusable:
        notes.append(
            f"{found.unusable} games are left out: a rank or a reward is missing or is not a number"
        )
    return notes


def _explain_none(
    session: Session, selection: Selection, rules: Rules, two: Sequence[Agent], question: Question
) -> None:
    for agent in two:
        own = replace(selection, agent=agent.id, status="completed")
        if not games(session, own, limit=1):
            raise UsageError(f"{agent.label} has no game of {rules.name}{_to_play(question)}")
    raise UsageError(
        f"{two[0].label} and {two[1].label} never met in {rules.name}{_to_play(question)}"
    )


def _to_play(question: Question) -> str:
    return f"; to play: arena compare {question.a} {question.b}"
