"""When every game of a tournament was played, agents that remember write about their last one.

The calls are on record beside that game (`side_calls`) with what was read of them: an answer that
is on record is not asked for again. No game depends on them.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from arena.core import ArenaError
from arena.core.memory import MEMORY, Memory, WritesLast, writing_purpose
from arena.core.text import one_line
from arena.core.threads import in_thread
from arena.game.seating import Sitter, Told, seat
from arena.game.task import GameTask, rules_of
from arena.orchestrator import run_log
from arena.orchestrator.side_calls import SideCalls
from arena.reports.memory import memory_of, written_last
from db import Repository, Session
from db.queries.memories import FinishedSeat, finished_seats, finished_tournaments

if TYPE_CHECKING:
    from arena.core import Agent
    from arena.orchestrator.play_loop import Playing

_SAID = 300


async def write_about_last_games(playing: Playing) -> None:
    """Ask every agent of a tournament that is complete about its last game, if it has not written
    about it. One that cannot be asked is said in the news of the run, and asked by the next."""
    agents = playing.attempts.memories.agents
    if not agents or playing.games_left() or not playing.complete() or not playing.stop.going():
        return
    for key in sorted(agents):
        unwritten = await in_thread(
            playing.database.reconnecting, lambda s, key=key: _unwritten(s, playing, key)
        )
        if unwritten is None:
            continue
        try:
            await playing.stop.unless(_write(playing, key, *unwritten))
        except ArenaError as error:
            _tell(playing, key, str(error))
        except Exception:
            # The kind's own, which is a stranger's program.
            _tell(playing, key, traceback.format_exc().strip().rpartition("\n")[2])


def _unwritten(
    session: Session, playing: Playing, agent_id: int
) -> tuple[FinishedSeat, Memory] | None:
    """The seat of an agent in its last game, and what it knew before, where it has not written
    about it."""
    tournament = playing.entry.tournament_id
    found = finished_tournaments(session, agent_id)
    end = next((end for key, _, end in found if key == tournament), None)
    if end is None:
        return None
    memory = memory_of(session, tournament, agent_id, end)
    last = next(finished_seats(session, tournament, agent_id, end))
    if memory.last is None or written_last(session, last) is not None:
        return None
    return last, memory


async def _write(playing: Playing, key: int, last: FinishedSeat, memory: Memory) -> None:
    agent = _agent(playing, key, last, memory)
    if not isinstance(agent, WritesLast):
        return
    models, purpose = playing.models, writing_purpose(last.player_index)
    spec = playing.entry.agents[key]
    calls = SideCalls(
        playing.database, spec.model, models.client, budget=models.budget, limits=models.limits
    )
    async with calls.open():
        kept = await agent.write(calls.about(last.game_id, None, purpose))
    reading = {MEMORY: {"given": memory.plain(), "kept": kept.plain()}}

    def record(session: Session) -> None:
        Repository(session).read_side_call(last.game_id, purpose, reading)

    await in_thread(playing.database.reconnecting, record)


def _agent(playing: Playing, key: int, last: FinishedSeat, memory: Memory) -> Agent:
    """An agent with its memory, as at the place of its last game. A prompt that says what a game
    tells its player is left out: there is no game that could tell it."""
    environment, spec = playing.prepared.config.environment, playing.entry.agents[key]
    sitters = (Sitter(0, spec),)
    task = GameTask(
        environment.name,
        0,
        (sitters,) * environment.players,
        environment.turn_limit,
        options=playing.prepared.options,
        revision=playing.prepared.spec.revision,
    )
    made = seat(
        sitters,
        last.player_index,
        environment=environment.name,
        rules=rules_of(task),
        memory=memory,
    )()
    return made.make(prompt="") if isinstance(made, Told) else made


def _tell(playing: Playing, key: int, why: str) -> None:
    name = one_line(playing.entry.agents[key].name, 60)
    said = (
        f"{name} has not written about its last game: {one_line(why, _SAID)}; the same command "
        "asks it again"
    )
    run_log.said_news(said)
    playing.tell(said)
