"""Records games: the seam between the game loop's logs and the database's recorder.

A turn is written in as few commits as the promises allow. Its opening goes with its first intent,
before the request leaves; its last answer goes with its action, before the environment is stepped.
A failed attempt is written at once, because a long wait may follow it.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from arena.core import CallAnswer, CallIntent, Observation, RecordError
from arena.game.logs import Acted
from arena.game.loop import Conduct, Finished, Voided
from db.errors import DatabaseError
from db.recorder import Recorder
from db.writer.calls import CallAnswered, CallIntended
from db.writer.games import GameFinished, GameStarted, GameVoided, PlayerFinished
from db.writer.subject import Record
from db.writer.turns import TurnActed, TurnOpened, TurnRefused


@dataclass(slots=True)
class Meter:
    """What a run has done so far: counted as it happens, shown while it runs."""

    turns: int = 0
    calls: int = 0
    calls_in_flight: int = 0
    failed_calls: int = 0
    cached_calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    lapses: Counter[str] = field(default_factory=Counter)


class GameRecorder:
    """The log of one game (`arena.game.logs.GameLog`)."""

    def __init__(self, recorder: Recorder, game_id: int, meter: Meter) -> None:
        self.recorder = recorder
        self.game_id = game_id
        self.meter = meter
        self.held: list[Record] = []

    def turn(
        self, observation: Observation, *, opened: bool = False, tokens: int | None = None
    ) -> TurnRecorder:
        """The log of the turn that this observation opens, or has `opened` on record already,
        with the `tokens` of its calls so far."""
        return TurnRecorder(self, observation, opened=opened, tokens=tokens)

    async def write(self, *records: Record) -> None:
        """Commit what is held, then these. Raises RecordError."""
        held, self.held = self.held, []
        try:
            await self.recorder.append(*held, *records)
        except DatabaseError as error:
            raise RecordError(str(error)) from error

    async def started(self) -> None:
        await self.write(GameStarted(game_id=self.game_id, started_at=datetime.now(UTC)))

    async def finished(self, result: Finished) -> None:
        """Commit the result together with the ratings it moves."""
        outcome = result.outcome
        conduct = result.conduct or tuple(Conduct() for _ in outcome.players)
        players = tuple(
            PlayerFinished(
                player_index=player.player_index,
                role=player.role,
                team=player.team,
                rank=player.rank,
                reward=player.reward,
                invalid_actions=player.invalid_actions,
                turns=did.turns,
                silences=did.silences,
                refusals=did.refusals,
                overlongs=did.overlongs,
                time_limits=did.time_limits,
                decided=player.player_index == result.decided_by,
            )
            for player, did in zip(outcome.players, conduct, strict=True)
        )
        await self.write(
            GameFinished(
                game_id=self.game_id,
                finished_at=datetime.now(UTC),
                winning_team=outcome.winning_team,
                termination=outcome.termination.value,
                reason=outcome.reason,
                turn_count=result.turns,
                players=players,
            )
        )

    async def voided(self, void: Voided, *, final: bool) -> None:
        """Commit that the game has no result; `final` says that it will not be tried again."""
        await self.write(
            GameVoided(
                game_id=self.game_id,
                finished_at=datetime.now(UTC),
                cause=void.cause.value,
                error=void.error,
                environment_crashed=void.cause.value == "environment",
                final=final,
                turn_count=void.turns,
            )
        )


class TurnRecorder:
    """The log of one turn (`arena.game.logs.TurnLog`)."""

    __slots__ = ("_game", "_key", "_observation", "_observed_at", "_opened", "_started", "_tokens")

    def __init__(
        self,
        game: GameRecorder,
        observation: Observation,
        *,
        opened: bool = False,
        tokens: int | None = None,
    ) -> None:
        self._game = game
        self._observation = observation
        self._key = (game.game_id, observation.turn_number, observation.player_index)
        self._observed_at = datetime.now(UTC)
        self._started = time.perf_counter()
        self._opened = opened
        self._tokens = tokens

    async def intend(self, intent: CallIntent) -> None:
        self._open()
        await self._game.write(
            CallIntended(
                *self._key,
                call_index=intent.call_index,
                call_number=intent.call_number,
                attempt=intent.attempt,
                model=intent.model,
                messages=intent.messages,
                request=intent.request,
                request_hash=intent.request_hash,
                reserved=intent.reserved,
            )
        )
        self._game.meter.calls += 1
        self._game.meter.calls_in_flight += 1

    async def answer(self, answer: CallAnswer) -> None:
        meter, usage = self._game.meter, answer.usage
        meter.calls_in_flight -= 1
        meter.cost += answer.charged or 0.0
        if usage.prompt_tokens is not None or usage.completion_tokens is not None:
            tokens = (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
            meter.tokens += tokens
            self._tokens = (self._tokens or 0) + tokens
        self._game.held.append(CallAnswered(*self._key, answer))
        meter.cached_calls += answer.cached
        if answer.error_class is not None:
            meter.failed_calls += 1
            await self._game.write()

    async def acted(self, acted: Acted) -> None:
        self._open()
        action, submitted, lapse = acted.action.text, acted.submitted, acted.lapse
        await self._game.write(
            TurnActed(
                *self._key,
                action=action,
                submitted=None if submitted == action else submitted,
                acted_at=datetime.now(UTC),
                response_time_ms=round((time.perf_counter() - self._started) * 1000),
                tokens_used=self._tokens,
                lapse=None if lapse is None else lapse.value,
            )
        )
        self._game.meter.turns += 1
        if lapse is not None:
            self._game.meter.lapses[lapse.value] += 1

    def refused(self) -> None:
        self._game.held.append(TurnRefused(*self._key))

    async def flush(self) -> None:
        self._open()
        await self._game.write()

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            self._game.held.append(
                TurnOpened(
                    *self._key,
                    observation=self._observation.text,
                    observed_at=self._observed_at,
                )
            )
