"""A small database with everything in it that can happen to a game, written as a run writes it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from arena.core import CallAnswer, Rating, Usage
from arena.ratings.online.live import LiveFold
from db import get_session, init_db
from db.models import Agent, Environment, Game, GamePlayer, Kind, Model, Prompt, Tournament
from db.recorder import Recorder
from db.writer.calls import CallAnswered, CallIntended
from db.writer.games import GameFinished, GameStarted, GameVoided, PlayerFinished
from db.writer.turns import TurnActed, TurnOpened, TurnRefused

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE = "NUL \x00, a lone surrogate \ud83d, \x1b[31mred\x1b[0m, <script>, 終わり 🎲 \r\n$x_{2}$"
SYSTEM = "You sit at a table and talk until somebody is out. " * 3


def fill(url: str) -> None:
    """Village-v0 (four players) in the tournament `first`, Duel-v0 in `second`.

    game 1  completed, Village (ann, bob, and cid's agent) beat Mafia (dora)
    game 2  completed, a draw of the two teams
    game 3  void: its provider failed
    game 4  running: its last call is in flight
    game 5  scheduled
    game 6  completed, without teams; hostile texts everywhere
    game 7  completed, without a tournament: played by hand, its ranks counted from 1
    """
    init_db(url)
    with get_session(url) as session:
        kind = Kind(name="thinking")
        model = Model(name="small", litellm_model_name="openai/small")
        plain = Prompt(name="plain", content="Win.", content_hash="1")
        session.add_all([kind, model, plain])
        session.flush()
        agents = [
            Agent(
                kind_id=kind.id,
                model_id=model.id,
                prompt_id=plain.id,
                options={"n": n},
                options_hash=str(n),
                alias=alias,
                fingerprint=str(n),
            )
            for n, alias in enumerate(["ann", "bob", None, "dora"])
        ]
        village = Environment(
            name="Village-v0", num_players=4, package="p", version="1", fingerprint="v"
        )
        duel = Environment(name="Duel-v0", num_players=2, package="p", version="1", fingerprint="d")
        session.add_all([*agents, village, duel])
        session.flush()
        first, second = (
            Tournament(
                name=name, config_hash="", seed=7, games=games, environment_id=environment.id
            )
            for name, games, environment in (("first", 5, village), ("second", 1, duel))
        )
        session.add_all([first, second])
        session.flush()
        for number in range(5):
            _schedule(session, first, number, agents)
        _schedule(session, second, 0, agents[1:3])
        by_hand = Game(status="completed", environment_id=duel.id, finished_at=START)
        session.add(by_hand)
        session.flush()
        for index, agent in enumerate(agents[:2]):
            session.add(
                GamePlayer(
                    game_id=by_hand.id, agent_id=agent.id, player_index=index, rank=index + 1
                )
            )
    asyncio.run(_play(url))


def _schedule(session, tournament, number, agents):
    game = Game(
        tournament_id=tournament.id,
        environment_id=tournament.environment_id,
        schedule_index=number,
        block=number,
        seed=2**62 + number,
        status="scheduled",
    )
    session.add(game)
    session.flush()
    for index, agent in enumerate(agents):
        session.add(GamePlayer(game_id=game.id, agent_id=agent.id, player_index=index))


def seen(game_id: int, turn_number: int) -> str:
    """What the player of a turn has been shown: longer at every turn."""
    return f"[GAME] This is game {game_id}, a long one.\n" + "".join(
        f"[Player {turn % 4}] said something in turn {turn} of game {game_id}.\n"
        for turn in range(turn_number)
    )


def sent(game_id: int, turn_number: int) -> list[dict[str, str]]:
    """The messages of a turn's calls."""
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "You see:\n" + seen(game_id, turn_number)},
    ]


async def _play(url: str) -> None:
    async with Recorder(url, LiveFold("trueskill", PlusOne())) as recorder:
        for turn in range(8):
            await _turn(recorder, 1, turn, failures=1 if turn == 5 else 0, silent=turn == 2)
        await recorder.append(TurnRefused(1, 7, 3))
        await recorder.append(_result(1, [0, 0, 0, 1], winner="Village", refused=1))
        await _turn(recorder, 2, 0)
        await recorder.append(_result(2, [0, 0, 0, 0], winner=None))
        await _turn(recorder, 3, 0)
        await recorder.append(
            GameVoided(game_id=3, finished_at=START, cause="provider", error=HOSTILE)
        )
        await recorder.append(GameStarted(4, START))
        await _turn(recorder, 4, 0)
        await recorder.append(TurnOpened(4, 1, 1, seen(4, 1), START), _intent(4, 1, 1, sent(4, 1)))
        await _duel(recorder)


async def _turn(recorder, game_id, turn, *, failures=0, silent=False):
    key = (game_id, turn, turn % 4)
    at = START + timedelta(minutes=game_id, seconds=turn)
    await recorder.append(TurnOpened(*key, seen(game_id, turn), at))
    calls = 0 if silent else failures + 1
    for attempt in range(calls):
        await recorder.append(_intent(*key, sent(game_id, turn), attempt))
        failed = attempt < failures
        await recorder.append(
            CallAnswered(
                *key,
                CallAnswer(
                    attempt,
                    request_sent_at=at,
                    response_received_at=at + timedelta(milliseconds=250),
                    total_ms=250.0,
                    text=None if failed else f"answer {turn}",
                    response=None if failed else {"choices": [f"answer {turn}"]},
                    model_answered=None if failed else "small-2026",
                    finish_reason=None if failed else "stop",
                    usage=Usage() if failed else Usage(100, 10, cost=0.25),
                    error_class="RateLimitError" if failed else None,
                    error_message=HOSTILE if failed else None,
                    error_status=429 if failed else None,
                ),
            )
        )
    await recorder.append(
        TurnActed(
            *key,
            action=f"answer {turn}",
            acted_at=at + timedelta(milliseconds=300),
            submitted=f"[{turn}]" if turn == 7 else None,
            response_time_ms=300,
            tokens_used=110 * (calls > 0),
        )
    )


def _intent(game_id, turn, player, messages, attempt=0):
    return CallIntended(
        game_id,
        turn,
        player,
        call_index=attempt,
        call_number=0,
        attempt=attempt,
        model="openai/small",
        messages=messages,
        request={"temperature": 0.5},
        request_hash="abcd",
    )


async def _duel(recorder):
    key = (6, 0, 0)
    messages = [{"role": "user", "content": HOSTILE}]
    await recorder.append(TurnOpened(*key, HOSTILE, START), _intent(*key, messages))
    await recorder.append(
        CallAnswered(
            *key, CallAnswer(0, START, START, 1.0, text=HOSTILE, response={"said": [HOSTILE]})
        ),
        TurnActed(*key, action=HOSTILE, acted_at=START, submitted="ok"),
    )
    await recorder.append(TurnOpened(6, 1, 1, "your turn", START))
    await recorder.append(TurnActed(6, 1, 1, action=HOSTILE, acted_at=START))
    players = [
        PlayerFinished(0, None, None, rank=1, reward=-1.0),
        PlayerFinished(1, None, None, rank=0, reward=1.0),
    ]
    await recorder.append(GameFinished(6, START, None, "natural", HOSTILE, 2, players, {"n": [1]}))


def _result(game_id, ranks, *, winner, refused=0):
    teams = ["Village", "Village", "Village", "Mafia"]
    roles = ["Doctor", "Villager", "Villager", "Mafia"]
    return GameFinished(
        game_id,
        START + timedelta(hours=game_id),
        winner,
        "natural",
        "the village has voted",
        8,
        [
            PlayerFinished(
                index, roles[index], teams[index], rank, 1.0 - 2.0 * rank, refused * (index == 3)
            )
            for index, rank in enumerate(ranks)
        ],
    )


class PlusOne:
    """A rating that can be worked out by hand: ±1, and a tenth off the uncertainty."""

    def initial(self):
        return Rating()

    def rate(self, players, ratings, draw_probability):
        drawn = len({team for _, team, rank in players if rank == 0}) > 1
        return {
            agent: (
                ratings[agent][0] + (0 if drawn else -1 if rank else 1),
                ratings[agent][1] * 0.9,
            )
            for agent, _, rank in players
        }
