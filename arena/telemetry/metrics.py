"""A run in numbers: tokens and times of its calls, by the names of the GenAI conventions, and how
its games end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.metrics import Meter

from arena.core import AgentSpec, CallAnswer, CallIntent
from arena.game.journal import Answered, Intended, JournalEntry
from arena.game.loop import Finished, GameResult, Paused, Suspended, Voided
from arena.telemetry.names import call_attributes, shown

# Those that the conventions advise.
_TOKENS = tuple(float(4**power) for power in range(14))
_SECONDS = tuple(0.01 * 2**power for power in range(14))


class RunMetrics:
    """Measures a run (`arena.record.listening.RunListener`)."""

    def __init__(self, meter: Meter) -> None:
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Tokens of a call, sent and answered",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self._seconds = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "How long a call took at its provider",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._dollars = meter.create_counter("arena.cost", "{USD}", "What calls were charged")
        self._games = meter.create_counter("arena.games", "{game}", "Games that are not played on")
        self._intents: dict[int, dict[tuple[int, int, int], CallIntent]] = {}
        self._seats: dict[int, Sequence[AgentSpec]] = {}
        self._tournament: dict[str, str] = {}

    def run_begins(self, tournament_id: int, tournament: str) -> None:
        self._tournament = {"arena.tournament": shown(tournament)}

    def run_ends(self, stopped: str | None) -> None:
        pass

    def game_begins(self, game_id: int, environment: str, seats: Sequence[AgentSpec]) -> None:
        self._intents[game_id] = {}
        self._seats[game_id] = seats

    def entered(self, game_id: int, entry: JournalEntry) -> None:
        match entry:
            case Intended(turn_number=turn, player_index=player, intent=intent):
                self._intents[game_id][turn, player, intent.call_index] = intent
            case Answered(turn_number=turn, player_index=player, answer=answer):
                intent = self._intents[game_id].pop((turn, player, answer.call_index))
                if not answer.cached:
                    agent = self._seats[game_id][player]
                    self._measure(answer, call_attributes(agent, intent, answer))
            case _:
                pass

    def _measure(self, answer: CallAnswer, attributes: Mapping[str, str]) -> None:
        self._seconds.record(answer.total_ms / 1e3, attributes)
        usage = answer.usage
        for kind, tokens in (("input", usage.prompt_tokens), ("output", usage.completion_tokens)):
            if tokens is not None:
                self._tokens.record(tokens, {**attributes, "gen_ai.token.type": kind})
        if answer.charged:
            self._dollars.add(answer.charged, {**attributes, **self._tournament})

    def game_ends(self, game_id: int, result: GameResult | None) -> None:
        self._intents.pop(game_id, None)
        self._seats.pop(game_id, None)
        self._games.add(1, {**self._tournament, "arena.game.status": status_of(result)})


def status_of(result: GameResult | None) -> str:
    """How a game stands that is not played any more."""
    match result:
        case Finished():
            return "completed"
        case Voided():
            return "void"
        case Suspended():
            return "suspended"
        case Paused() | None:
            return "paused"
