"""Compares two agents by the games that are on record already: where they met, each in the other's
seats.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from arena.compare.answer import Comparison, fixed_games, other_pairs, sentence
from arena.compare.looks import looks
from arena.compare.noise import noise_beside
from arena.compare.pairs import FoundPairs, Met, PairedBlock, find_pairs
from arena.compare.question import Question, two_agents
from arena.compare.voids import doubted, struck, void_range
from arena.core import UsageError
from arena.game.seating import remembering_kind
from arena.matchmakers.duel import BLOCK, SEATINGS, DuelOptions
from arena.orchestrator.lookup import Rules, rules_of_games
from arena.record.rating_columns import repeats_left_out
from arena.reports.voids import told
from db import Agent, Repository, Session, get_session
from db.database import Source
from db.queries.games import GameRow, games, games_of_both
from db.queries.repeats import repeats
from db.selection import Selection


def played(url: Source, question: Question, selection: Selection | None = None) -> Comparison:
    """What the games on record say, those of a selection if one is given. Nothing is played or
    written.

    Pairs of games are blocks, one for each seed, in the order in which they were rated; games that
    wait to be rated are left out, because the short ones end first. Of several seatings, it is the
    one that was asked for or that has the most blocks. Where no two games of a seed are a pair,
    games of different seeds are (seating "matched"): the luck of a seed does not cancel then, the
    advantage of a seat does.

    Raises UsageError for agents that never met, or never in each other's seats, and for a test that
    these games cannot be asked with, BadSelection for what is not on record.
    """
    with get_session(url, create=False) as session:
        return played_in(session, question, selection)


def played_in(
    session: Session, question: Question, selection: Selection | None = None
) -> Comparison:
    """The same in an open session."""
    _check(question)
    test = question.test or "evalue"
    repo = Repository(session)
    a, b = two_agents(repo, question)
    selection = selection or Selection()
    rules = rules_of_games(repo, selection, question.environment, question.players, (a.id, b.id))
    if rules.key is None:
        raise UsageError(f"no game of {rules.name} is on record{_to_play(question)}")
    assert a.id is not None
    assert b.id is not None
    selection = replace(selection, environment=rules.key)
    rows, void, dollars = games_of_both(session, selection, a.id, b.id)
    if not rows:
        _explain_none(session, selection, rules, (a, b), question)
    again = repeats(session, {row.game_id: _same(row) for row in rows if row.seed is not None})
    asked = looks(repo.get_tournaments(), rules.name, rules.players, {a.label, b.label})
    voids = struck(session, [row.game_id for row in void], {a.id: a.label, b.id: b.label})
    noise = noise_beside(session, rules.key, a.id, b.id)
    met = [game for game in _met(rows, void) if game.key not in again]
    found = find_pairs(met, a.id, b.id)
    blocks, seating = _chosen(found, question, (a, b))
    options = DuelOptions.read({"seating": seating, **question.options(test)})
    scores = [block.score for block in blocks if block.score is not None]
    if not scores:
        raise UsageError(
            f"no block of {a.label} and {b.label} has both results: the games that would make one "
            f"are void{_to_play(question)}"
        )
    verdict = options.sequential(len(scores) * BLOCK).verdict(scores)
    ranges = [block.between for block in blocks]
    notes = [*rules.notes(), *repeats_left_out(len(again))]
    notes += [*noise, *_notes(found, seating, question.seating is None)]
    matched = seating not in found.blocks
    if options.test == "gsprt":
        notes.append(
            "the error rates hold if h0, h1, alpha and beta were chosen before anybody saw these "
            "games; --test evalue asks for h0 alone"
        )
    learned = [row.label for row in (a, b) if remembering_kind(row.kind.name)]
    if learned:
        notes.append(
            f"games of {' and '.join(learned)} depend on their order, because earlier ones are "
            "remembered: the test takes blocks to be exchangeable, and these are not"
        )
    if verdict.unused:
        notes.append(f"{verdict.unused} later blocks were not needed and not looked at")
    between = void_range(options, ranges, verdict)
    return Comparison(
        a=a.label,
        b=b.label,
        environment=rules.name,
        players=rules.players,
        seating="matched" if matched else seating,
        options=options,
        tournament=None,
        verdict=verdict,
        decided=verdict.decided,
        sentence=doubted(sentence(a.label, b.label, options, verdict, len(met), len(met)), between),
        scores=tuple(scores),
        settled=len(met),
        void=sum(game.void for game in met),
        dollars=dollars,
        fixed_games=fixed_games(options, scores[: verdict.blocks]),
        notes=(*notes, *told(voids), *other_pairs(asked)),
        looks=len(asked.of_these) + 1,
        any_error=min(1.0, asked.any_error + options.alpha),
        voids=voids,
        void_range=between,
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


def _met(rated: Sequence[GameRow], void: Sequence[GameRow]) -> list[Met]:
    """The games in which the two met; of a place whose every attempt went void, one."""
    places = {_place(row): row for row in void}
    done = {_place(row) for row in rated}
    found = [
        Met(
            row.game_id,
            row.seed,
            row.players,
            redone=_place(row) in places,
        )
        for row in rated
    ]
    return found + [
        Met(row.game_id, row.seed, row.players, void=True)
        for place, row in places.items()
        if place not in done
    ]


def _same(row: GameRow) -> Hashable:
    """What two games of one environment have in common if they are the same: see `repeats`."""
    return row.revision or 1, row.seed, *(player.agent_id for player in row.players)


def _place(row: GameRow) -> tuple[int | None, int]:
    """The place in a schedule at which a game was an attempt; a game of no schedule is its own."""
    return row.tournament_id, row.game_id if row.schedule_index is None else row.schedule_index


def _chosen(
    found: FoundPairs, question: Question, two: Sequence[Agent]
) -> tuple[Sequence[PairedBlock], str]:
    """The blocks that are asked, and their seating: those of one seed if there are any. Raises
    UsageError where there are none."""
    for blocks in (found.blocks, found.matched):
        seating = question.seating or max(
            blocks, key=lambda name: len(blocks[name]), default="mirrored"
        )
        if blocks.get(seating):
            return blocks[seating], seating
    a, b = (agent.label for agent in two)
    if not found.alone and not found.blocks:
        raise UsageError(
            f"{a} and {b} have met, but no game of theirs says who is better "
            f"({found.together} on one team, {found.unusable} without a result)"
            f"{_to_play(question)}"
        )
    if question.seating:
        raise UsageError(
            f"no two games of {a} and {b} with --seating {question.seating} are a pair with their "
            f"parts swapped{_to_play(question)}"
        )
    seats = ", ".join(f"{part} in {games:,}" for part, games in found.seats.most_common(3))
    why = (
        f"{a} had one part in all of them ({seats}), and its seat and its play cannot be told apart"
        if len(found.seats) == 1
        else f"{a} was {seats}, but never with the same others at the table and the parts swapped"
    )
    raise UsageError(
        f"the {found.alone:,} games of {a} and {b} are single ones, and no two of them are a pair "
        f"with their parts swapped: {why}. `arena leaderboard` rates them together with everybody "
        f"else's games, seats and roles allowed for{_to_play(question)}"
    )


def _notes(found: FoundPairs, seating: str, chosen: bool) -> list[str]:
    notes = []
    others = {name: len(scores) for name, scores in found.blocks.items() if name != seating}
    if others and chosen:
        told = ", ".join(f"{BLOCK * n} games {name}" for name, n in others.items())
        notes.append(f"other seatings ask something else and are left out: {told}; see --seating")
    if not found.blocks.get(seating):
        unused = found.alone - BLOCK * len(found.matched[seating])
        left_out = f"; {unused} games of theirs have no partner and are left out"
        notes.append(
            "no two games on one seed are a pair: games of different seeds are, in which the two "
            "had each other's seats, so that a seat's advantage cancels and a seed's luck does not"
            + (left_out if unused > 0 else "")
        )
    elif found.alone:
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
