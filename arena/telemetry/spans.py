"""A run as a trace: the tournament, in it the games, in these the turns, and in a turn its calls
and tools, by the names of OpenTelemetry's GenAI conventions.

What models are sent and answer is personal, and a stranger's: it is told only where it is asked
for, without keys. What providers say of their errors may repeat it, and is not told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from arena.core import AgentSpec, CallAnswer, CallIntent, text_of
from arena.core.tools import ToolUse
from arena.game.journal import Answered, Intended, JournalEntry, Opened, ToolUsed, TurnTaken
from arena.game.loop import Finished, GameResult, Voided
from arena.llm.genai_names import message_parts, request_attributes
from arena.llm.secrets import scrub
from arena.telemetry.metrics import status_of
from arena.telemetry.names import call_attributes, shown

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Turn:
    """What is known of a turn that is being taken: its spans are made when it is over, because a
    worker tells of its beginning last."""

    opened: datetime | None = None
    intents: dict[int, CallIntent] = field(default_factory=dict)
    calls: list[tuple[CallIntent, CallAnswer]] = field(default_factory=list)
    tools: list[ToolUse] = field(default_factory=list)


@dataclass(slots=True)
class _Game:
    span: Span
    seats: Sequence[AgentSpec]
    turns: dict[tuple[int, int], _Turn] = field(default_factory=dict)


class RunSpans:
    """Makes the spans of a run (`arena.record.listening.RunListener`); with `content` also of what
    was said."""

    def __init__(self, tracer: Tracer, *, content: bool) -> None:
        self._tracer = tracer
        self._content = content
        self._run: Span | None = None
        self._games: dict[int, _Game] = {}

    def run_begins(self, tournament_id: int, tournament: str) -> None:
        self._run = self._tracer.start_span(
            f"tournament {shown(tournament)}",
            attributes={
                "arena.tournament": shown(tournament),
                "arena.tournament.id": tournament_id,
            },
        )

    def run_ends(self, stopped: str | None) -> None:
        for game_id in [*self._games]:
            self.game_ends(game_id, None)
        if self._run is not None:
            self._run.set_attribute("arena.tournament.stopped", stopped is not None)
            self._run.end()

    def game_begins(self, game_id: int, environment: str, seats: Sequence[AgentSpec]) -> None:
        span = self._tracer.start_span(
            f"invoke_workflow {shown(environment)}",
            None if self._run is None else set_span_in_context(self._run),
            attributes={
                "gen_ai.operation.name": "invoke_workflow",
                "gen_ai.workflow.name": shown(environment),
                "gen_ai.conversation.id": str(game_id),
            },
        )
        self._games[game_id] = _Game(span, seats)

    def entered(self, game_id: int, entry: JournalEntry) -> None:
        game = self._games[game_id]
        key = entry.turn_number, entry.player_index
        turn = game.turns.setdefault(key, _Turn())
        match entry:
            case Opened(observed_at=at):
                turn.opened = at
            case Intended(intent=intent):
                turn.intents[intent.call_index] = intent
            case Answered(answer=answer):
                turn.calls.append((turn.intents.pop(answer.call_index), answer))
            case ToolUsed(use=use) if use.result is not None or use.error is not None:
                turn.tools.append(use)
            case TurnTaken():
                del game.turns[key]
                self._turn(game_id, game, key, turn, entry)
            case _ if turn == _Turn():
                # What the rules refused was a turn that is over.
                del game.turns[key]

    def game_ends(self, game_id: int, result: GameResult | None) -> None:
        game = self._games.pop(game_id, None)
        if game is None:
            return
        for key, turn in game.turns.items():
            self._turn(game_id, game, key, turn, None)
        game.span.set_attribute("arena.game.status", status_of(result))
        match result:
            case Finished(outcome=outcome):
                game.span.set_attribute("arena.game.termination", outcome.termination.value)
            case Voided(cause=cause):
                game.span.set_attribute("error.type", cause.value)
                game.span.set_status(Status(StatusCode.ERROR))
        game.span.end()

    def _turn(
        self, game_id: int, game: _Game, key: tuple[int, int], turn: _Turn, taken: TurnTaken | None
    ) -> None:
        """The spans of a turn; None for one that was not taken."""
        number, player = key
        agent = game.seats[player]
        begun, ended = _times(turn, taken)
        attributes: dict[str, AttributeValue] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": shown(agent.name),
            "gen_ai.agent.id": str(agent.agent_id),
            "gen_ai.conversation.id": str(game_id),
            "arena.turn.turn_number": number,
            "arena.turn.player_index": player,
        }
        if taken is not None and taken.acted.lapse is not None:
            attributes["arena.turn.lapse"] = taken.acted.lapse.value
        span = self._tracer.start_span(
            f"invoke_agent {shown(agent.name)}",
            set_span_in_context(game.span),
            attributes=attributes,
            start_time=_nanoseconds(begun),
        )
        for intent, answer in turn.calls:
            self._call(span, game_id, agent, intent, answer)
        for use in turn.tools:
            self._tool(span, use)
        span.end(_nanoseconds(ended))

    def _call(
        self, turn: Span, game_id: int, agent: AgentSpec, intent: CallIntent, answer: CallAnswer
    ) -> None:
        told = call_attributes(agent, intent, answer)
        attributes: dict[str, AttributeValue | None] = {
            **told,
            **request_attributes(intent.request),
            "gen_ai.conversation.id": str(game_id),
            "gen_ai.agent.name": shown(agent.name),
            "gen_ai.usage.input_tokens": answer.usage.prompt_tokens,
            "gen_ai.usage.output_tokens": answer.usage.completion_tokens,
            "gen_ai.usage.cache_read.input_tokens": answer.usage.cached_tokens,
            "gen_ai.response.finish_reasons": (shown(answer.finish_reason),)
            if answer.finish_reason
            else None,
            "http.response.status_code": answer.error_status,
            "arena.call.attempt": intent.attempt,
            "arena.call.call_number": intent.call_number,
            "arena.call.cost": answer.usage.cost,
            "arena.call.cached": answer.cached,
            "arena.call.lag_ms": answer.lag_ms,
            "arena.call.first_token_ms": answer.first_token_ms,
        }
        if self._content:
            attributes |= _content(intent, answer)
        span = self._tracer.start_span(
            f"chat {told['gen_ai.request.model']}",
            set_span_in_context(turn),
            SpanKind.CLIENT,
            attributes={name: value for name, value in attributes.items() if value is not None},
            start_time=_nanoseconds(answer.request_sent_at),
        )
        if answer.error_class is not None:
            span.set_status(Status(StatusCode.ERROR))
        span.end(_nanoseconds(answer.response_received_at))

    def _tool(self, turn: Span, use: ToolUse) -> None:
        span = self._tracer.start_span(
            f"execute_tool {shown(use.function)}",
            set_span_in_context(turn),
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": shown(use.function),
                "gen_ai.tool.type": "function",
            },
            start_time=_nanoseconds(use.called_at),
        )
        if use.error is not None:
            span.set_attribute("error.type", shown(use.error))
            span.set_status(Status(StatusCode.ERROR))
        span.end(_nanoseconds(use.called_at + timedelta(milliseconds=use.took_ms or 0.0)))


def _times(turn: _Turn, taken: TurnTaken | None) -> tuple[datetime, datetime]:
    ends = [answer.response_received_at for _, answer in turn.calls]
    ended = taken.acted_at if taken is not None else max(ends, default=datetime.now(UTC))
    begun = turn.opened
    if begun is None:
        took = timedelta(milliseconds=(taken.response_time_ms or 0.0) if taken is not None else 0.0)
        sent = [answer.request_sent_at for _, answer in turn.calls]
        begun = min([ended - took, *sent])
    return begun, max(begun, ended)


def _content(intent: CallIntent, answer: CallAnswer) -> Mapping[str, AttributeValue]:
    found: dict[str, AttributeValue] = {}
    if intent.messages:
        asked = [{"role": each["role"], "content": text_of(each)} for each in intent.messages]
        found["gen_ai.input.messages"] = _json(message_parts(asked))
    if answer.text is not None:
        told = [{"role": "assistant", "content": answer.text}]
        found["gen_ai.output.messages"] = _json(message_parts(told))
    return found


def _json(value: Any) -> str:
    """In ASCII: a letter that is no letter alone would end the export of all."""
    return scrub(json.dumps(value, ensure_ascii=True, separators=(",", ":")))


def _nanoseconds(time: datetime) -> int:
    return (time - _BEGINNING) // timedelta(microseconds=1) * 1000
