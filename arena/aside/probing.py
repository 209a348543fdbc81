"""Belief probes: asks a seat of a game on record what it believes of every player, from there on.

The question is put behind what the seat's model was last sent by a turn: its prompt, and all that
it had seen. The game is not touched: the calls are on record beside it (`side_calls`), and the
same question about the same game is sent once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from arena.agents.beliefs import BeliefScore, question, read_beliefs, score
from arena.aside.together import together
from arena.core import ArenaError, Message, ModelSpec, UsageError
from arena.core.threads import in_thread
from arena.llm.costs.budget import Budget
from arena.llm.thoughts import read
from arena.orchestrator.clients import client_for
from arena.orchestrator.side_calls import CONCURRENCY, SideCalls
from arena.orchestrator.specs import model_spec
from db import Database, Repository, Session
from db.queries.games import GameRow, game
from db.queries.transcript import TurnRow, transcript
from db.repository.aside import response_of

PURPOSE = "probe"
# How the kinds of two and more calls a turn put their tasks.
_TASK = "\n\n# Your task: "


@dataclass(frozen=True, slots=True)
class ProbedBelief:
    """What a seat believes of the player `target`: how likely it has each role. `score` is None
    while the role is not on record."""

    target: int
    agent: str
    role: str | None
    chances: dict[str, float]
    score: BeliefScore | None


@dataclass(frozen=True, slots=True)
class ProbedSeat:
    """A seat that was asked, by what it had seen at `seen_at`, its last turn by then. Without
    `beliefs` its answer could not be read, or `error` says why there is none."""

    player: int
    agent: str
    role: str | None
    seen_at: int
    beliefs: tuple[ProbedBelief, ...] = ()
    text: str = ""
    error: str | None = None

    @property
    def identified(self) -> float | None:
        """The share of the players whose role it has right; None where nothing can be scored."""
        scores = [each.score.identified for each in self.beliefs if each.score is not None]
        return sum(scores) / len(scores) if scores else None

    @property
    def brier(self) -> float | None:
        """The mean Brier score, 0 to 2, lower is better; None where nothing can be scored."""
        scores = [each.score.brier for each in self.beliefs if each.score is not None]
        return sum(scores) / len(scores) if scores else None


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """The seats of a game that were asked at a turn, in order, and those that were not with why."""

    game: int
    turn: int
    seats: tuple[ProbedSeat, ...]
    left_out: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Question:
    player: int
    seen_at: int
    model: ModelSpec
    messages: list[Message]


async def probe(
    database: Database,
    game_id: int,
    *,
    turn: int | None = None,
    player: int | None = None,
    model: str | None = None,
    budget: float | None = None,
    concurrency: int = CONCURRENCY,
) -> ProbeReport:
    """Ask the seats of a game, or one of them, before turn `turn` (the last by default) is acted
    in. Each is asked by its own model, or by `model` of the catalogue in its place; `budget` is in
    dollars, for all of them.

    Raises UsageError for a game, turn, seat or model that is not there, for a game without roles,
    and for a model that cannot be asked.
    """
    with database.session(create=False) as session:
        row = game(session, game_id)
        if row is None:
            raise UsageError(f"there is no game {game_id}: `arena games` lists them")
        roles = [seat.role for seat in row.players if seat.role]
        if not roles:
            raise UsageError(
                f"game {game_id} of {row.environment} names no roles: there is nothing to believe"
            )
        turns = transcript(session, game_id)
        at = _turn(row, turns, turn)
        asked, left_out = _questions(session, row, turns, at, player, model, roles)
    client = client_for(None)
    spending = None if budget is None else Budget(budget)
    try:
        async with AsyncExitStack() as stack:
            calls: dict[str, SideCalls] = {}
            for each in asked:
                name = each.model.name
                if name not in calls:
                    calls[name] = SideCalls(
                        database, each.model, client, budget=spending, concurrency=concurrency
                    )
                    await stack.enter_async_context(calls[name].open())
            found = await together(
                _ask(calls[each.model.name], row, at, each, roles) for each in asked
            )
    finally:
        await client.aclose()
    return ProbeReport(game_id, at, tuple(found), tuple(left_out))


async def _ask(
    calls: SideCalls, row: GameRow, at: int, asked: _Question, roles: Sequence[str]
) -> ProbedSeat:
    llm = calls.about(row.game_id, at, f"{PURPOSE} {asked.player}")
    seat = row.players[asked.player]
    try:
        completion = await llm.complete(asked.messages)
    except UsageError:
        raise
    except ArenaError as error:
        return ProbedSeat(asked.player, seat.agent, seat.role, asked.seen_at, error=str(error))
    text = (await in_thread(read, completion.text)).text
    return ProbedSeat(
        asked.player,
        seat.agent,
        seat.role,
        asked.seen_at,
        tuple(beliefs_in(text, row, asked.player, roles)),
        text,
    )


def beliefs_in(
    text: str, row: GameRow, player: int, roles: Sequence[str]
) -> Iterator[ProbedBelief]:
    """What an answer of a player of that game says, beside the truth."""
    cast = [seat.role or "" for seat in row.players if seat.player_index != player]
    for target, chances in read_beliefs(text, len(row.players), player, roles).items():
        seat = row.players[target]
        known = None if seat.role is None else score(chances, seat.role, cast)
        yield ProbedBelief(target, seat.agent, seat.role, chances, known)


def probed(
    session: Session, games: Sequence[int]
) -> Iterator[tuple[int, int, int, dict[int, dict[str, float]]]]:
    """What was asked of seats of the games and could be read: game, turn, player, its beliefs; of
    several answers to one question the newest."""
    for game_id in games:
        row = game(session, game_id)
        if row is None:
            continue
        roles = [seat.role for seat in row.players if seat.role]
        found: dict[tuple[int, int], str] = {}
        for call in Repository(session).get_game_side_calls(game_id, f"{PURPOSE} "):
            said = response_of(call)
            number = call.purpose.removeprefix(f"{PURPOSE} ")
            if said is not None and said[0] and number.isdecimal() and call.turn is not None:
                found[call.turn, int(number)] = said[0]
        for (turn, player), text in sorted(found.items()):
            beliefs = read_beliefs(read(text).text, len(row.players), player, roles)
            if beliefs and player < len(row.players):
                yield game_id, turn, player, beliefs


def _turn(row: GameRow, turns: Sequence[TurnRow], turn: int | None) -> int:
    if not turns:
        raise UsageError(f"game {row.game_id} has no turn yet")
    last = turns[-1].turn_number
    if turn is None:
        return last
    if not 0 <= turn <= last:
        raise UsageError(f"game {row.game_id} has no turn {turn}: it has turns 0 to {last}")
    return turn


def _questions(
    session: Session,
    row: GameRow,
    turns: Sequence[TurnRow],
    at: int,
    player: int | None,
    model: str | None,
    roles: Sequence[str],
) -> tuple[list[_Question], list[tuple[int, str]]]:
    """What each seat is asked, and why the others are not."""
    seats = range(len(row.players))
    if player is not None and player not in seats:
        raise UsageError(f"game {row.game_id} has no player {player}: it has 0 to {len(seats) - 1}")
    repository = Repository(session)
    other = None
    if model is not None:
        found = repository.get_model_by_name(model)
        if found is None:
            raise UsageError(
                f"there is no model {model!r} in the catalogue: `arena models list` lists them"
            )
        other = model_spec(found)
    asked, left_out = [], []
    for place in seats if player is None else [player]:
        sent = _last_sent(turns, place, at)
        if sent is None:
            left_out.append((place, f"no model was asked for it by turn {at}"))
            continue
        seen_at, messages = sent
        spec = other
        if spec is None:
            agent = repository.get_agent_by_id(row.players[place].agent_id, with_relations=True)
            if agent is None or agent.model is None:
                left_out.append((place, "its agent has no model: name one with --model"))
                continue
            spec = model_spec(agent.model)
        asked.append(_Question(place, seen_at, spec, _with(messages, question(roles))))
    if not asked:
        raise UsageError(
            f"nobody can be asked before turn {at} of game {row.game_id}: "
            + "; ".join(f"player {place}: {why}" for place, why in left_out)
        )
    return asked, left_out


def _last_sent(turns: Sequence[TurnRow], player: int, at: int) -> tuple[int, list[Message]] | None:
    """The turn, and what the model of the player was first sent in it, that is the last by `at`."""
    for turn in reversed(turns):
        if turn.player_index == player and turn.turn_number <= at and turn.calls:
            return turn.turn_number, list(turn.calls[0].messages)
    return None


def _with(messages: list[Message], asked: str) -> list[Message]:
    """The messages with the question at the end of the last one, where that is a user's, and in the
    place of a task that its kind had put there."""
    *before, last = messages
    content = last["content"]
    if last["role"] == "user" and isinstance(content, str):
        seen = content.rpartition(_TASK)[0] or content
        return [*before, {"role": "user", "content": f"{seen}\n\n{asked}"}]
    return [*messages, {"role": "user", "content": asked}]
