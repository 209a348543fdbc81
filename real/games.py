"""Games between real models: as tournaments on record, and once more under earlier versions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from arena.config import TournamentConfig, loads
from arena.core import AgentSpec
from arena.game.journal import JournalEntry, Refused, TurnTaken
from arena.game.seating import Sitter
from arena.game.task import GameTask, Ports, play_task
from arena.llm.clearance import LocalClearance
from arena.llm.pacing.limits import Limits
from arena.orchestrator.clients import client_for
from db.queries.games import GameRow

NOTES_TOKENS = 200
CONCURRENCY = 2

_HEAD = """
name: {name}
seed: 10
environment: {environment}
games: {games}
concurrency: {concurrency}
llm: {{timeout: 900, retries: 1}}
models:
  - {{name: smollm2, litellm_model: openai/smollm2, api_base: "{smollm2}/v1",
     params: {{temperature: 0.7, max_tokens: 64}}}}
  - {{name: gemma3, litellm_model: openai/gemma3, api_base: "{gemma3}/v1",
     params: {{temperature: 0.7, max_tokens: 64}}}}
prompts:
  - {{name: plain, text: "You are Player {{{{player_index}}}} of {{{{num_players}}}}.
     Where you are to choose a player, answer with one number in brackets, as [3]."}}
agents:
"""

NOTES_BY_SCHEMA = frozenset({"Smol with notes", "Gemma with notes"})
NOTES_BY_TEXT = frozenset({"Smol notes text"})

_MAFIA = "{name: SecretMafia-v0, players: 6, options: {discussion_rounds: 1}}"
# Small models are soon thrown out of Secret Mafia; here they talk and choose to the end.
_DILEMMA = "{name: IteratedPrisonersDilemma-v0, players: 2, options: {num_rounds: 3}}"

# Two models, one of which is hostile, and two kinds.
_KINDS = f"""
  - {{name: Smol, model: smollm2, prompt: plain}}
  - {{name: Smol with notes, kind: remembering, model: smollm2, prompt: plain,
     options: {{notes_tokens: {NOTES_TOKENS}, notes_form: schema}}}}
  - {{name: Smol tag, model: smollm2, prompt: plain, options: {{answer: tag}}}}
  - {{name: Smol notes text, kind: remembering, model: smollm2, prompt: plain,
     options: {{notes_tokens: {NOTES_TOKENS}}}}}
  - {{name: Gemma, model: gemma3, prompt: plain}}
  - {{name: Gemma with notes, kind: remembering, model: gemma3, prompt: plain,
     options: {{notes_tokens: {NOTES_TOKENS}, notes_form: schema}}}}
"""

# One model, each seat with another reading of its answers.
_MODES = """
  - {name: Smol, model: smollm2, prompt: plain}
  - {name: Smol last_line, model: smollm2, prompt: plain, options: {answer: last_line}}
  - {name: Smol tag, model: smollm2, prompt: plain, options: {answer: tag}}
  - {name: Smol regex, model: smollm2, prompt: plain, options: {answer: {regex: '\\[\\w+\\]'}}}
  - {name: Smol json, model: smollm2, prompt: plain, options: {answer: json}}
  - {name: Smol tool, model: smollm2, prompt: plain, options: {answer: tool}}
"""

# One model, each seat another kind of agent.
_THINKERS = """
  - {name: Smol, model: smollm2, prompt: plain}
  - {name: Smol with notes, kind: remembering, model: smollm2, prompt: plain}
  - {name: Smol believing, kind: believing, model: smollm2, prompt: plain,
     options: {roles: [Cooperator, Defector]}}
  - {name: Smol reviewing, kind: reviewing, model: smollm2, prompt: plain}
  - {name: Smol sampling, kind: sampling, model: smollm2, prompt: plain, options: {samples: 3}}
  - {name: Smol learning, kind: learning, model: smollm2, prompt: plain}
"""


TOURNAMENTS = {
    "mafia": (_MAFIA, _KINDS),
    "dilemma": (_DILEMMA, _KINDS),
    "modes": (_DILEMMA, _MODES),
    "kinds": (_DILEMMA, _THINKERS),
}


def tournament(name: str, urls: Mapping[str, str], games: int) -> TournamentConfig:
    """One of TOURNAMENTS, between the models that are served at `urls`."""
    environment, agents = TOURNAMENTS[name]
    head = _HEAD.format(
        name=name, games=games, concurrency=CONCURRENCY, environment=environment, **urls
    )
    return loads(head + agents)


@dataclass(slots=True)
class Kept:
    """A journal in memory (`arena.game.journal.Journal`)."""

    entries: list[JournalEntry] = field(default_factory=list)

    async def append(self, *entries: JournalEntry) -> None:
        self.entries += entries

    def wanted(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class EarlierTurn:
    """A turn of a game that was played under earlier versions."""

    kind: str
    model: str
    action: str
    invalid: bool


async def played_as_before(config: TournamentConfig, rows: Sequence[GameRow]) -> list[EarlierTurn]:
    """Every turn of these games of the tournament when they are played with the same seats and
    seeds under version 1 of the kinds, and of how the environment puts its rules to players."""
    models = {model.name: model.spec() for model in config.models}
    prompts = {prompt.name: prompt.content for prompt in config.prompts}
    specs = {
        agent.name: AgentSpec(
            index, agent.name, agent.kind, 1, models[agent.model], prompts[agent.prompt]
        )
        for index, agent in enumerate(config.agents)
    }
    client = client_for(config)
    client.load(models.values())
    places = asyncio.Semaphore(CONCURRENCY)

    async def play(row: GameRow) -> list[EarlierTurn]:
        seats = [specs[player.agent] for player in row.players]
        task = GameTask(
            config.environment.name,
            row.seed or 0,
            tuple((Sitter(0, spec),) for spec in seats),
            config.environment.turn_limit,
            options=config.environment.options,
            revision=1,
        )
        kept = Kept()
        async with places:
            await play_task(task, Ports(kept, LocalClearance(Limits()), client))
        refused = {entry.turn_number for entry in kept.entries if isinstance(entry, Refused)}
        return [
            EarlierTurn(
                seats[entry.player_index].kind,
                seats[entry.player_index].model.name,
                entry.acted.action.text,
                entry.turn_number in refused,
            )
            for entry in kept.entries
            if isinstance(entry, TurnTaken)
        ]

    try:
        return [turn for turns in await asyncio.gather(*map(play, rows)) for turn in turns]
    finally:
        await client.aclose()
