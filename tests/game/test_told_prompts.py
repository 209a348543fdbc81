"""Prompts with what the game tells a player: its own role, team and phase, and nobody else's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from arena.config import AgentConfig
from arena.core import (
    AgentSpec,
    Completion,
    Message,
    ModelSpec,
    PlayerKnows,
    UsageError,
    VoidCause,
)
from arena.environments.textarena import TextArena
from arena.forecast.rehearsal import Unrecorded
from arena.game.loop import Finished, Voided
from arena.game.seating import Sitter
from arena.game.task import GameTask, Ports, play_task
from arena.llm.clearance import LocalClearance
from arena.llm.client import Client
from arena.llm.pacing.limits import Limits
from arena.orchestrator.preflight import check_retold
from tests.clients import client
from tests.strangers import Install, install

__all__ = ["install"]

PROMPT = """\
<{{role}}|{{team}}|{{phase}}|{{players}}|{{vars.tone}}>
Play."""
ROLES = {"Mafia", "Doctor", "Detective", "Villager", "Village"}


@dataclass
class Overheard:
    """A client that keeps what every model is asked."""

    client: Client
    requests: list[tuple[str, list[Message]]] = field(default_factory=list)

    async def complete(
        self, model: ModelSpec, messages: Sequence[Message], **more: Any
    ) -> Completion:
        self.requests.append((model.name, [*messages]))
        return await self.client.complete(model, messages, **more)


def agent(index: int, kind: str, options: Mapping[str, Any], prompt: str = PROMPT) -> AgentSpec:
    model = ModelSpec(f"model-{index}", "scripted/mafia-sharp")
    own = {"tone": f"tone-{index}"}
    return AgentSpec(index, f"Agent-{index}", kind, 2, model, prompt, options, own)


def game(kind: str, options: Mapping[str, Any], prompt: str = PROMPT) -> GameTask:
    return GameTask(
        environment="SecretMafia-v0-mended",
        options={"discussion_rounds": 1},
        seed=11,
        players=tuple((Sitter(0, agent(index, kind, options, prompt)),) for index in range(7)),
        turn_limit=200,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options"),
    [("thinking", {}), ("thinking", {"history": "chat"}), ("remembering", {})],
)
def test_a_whole_game_asks_nobody_with_what_another_may_know(
    kind: str, options: dict[str, Any]
) -> None:
    overheard = Overheard(client())
    ports = Ports(Unrecorded(), LocalClearance(Limits()), overheard)
    result = asyncio.run(play_task(game(kind, options), ports))

    assert isinstance(result, Finished)
    parts = {f"model-{p.player_index}": (p.role, p.team) for p in result.outcome.players}
    assert len({role for role, _ in parts.values()}) == 4
    names = ", ".join(f"Player {index}" for index in range(7))
    phases = set()
    for model, (system, *others) in overheard.requests:
        assert system["role"] == "system"
        told = re.match(r"<(.+)\|(.+)\|(.+)\|(.+)\|(.+)>", str(system["content"]))
        assert told is not None
        role, team, phase, players, tone = told.groups()
        assert (role, team) == parts[model]
        assert (players, tone) == (names, model.replace("model", "tone"))
        phases.add((role, phase))
        hidden = ROLES - {role, team}
        assert not any(fact in str(system["content"]) for fact in hidden)
        asked = " ".join(str(message["content"]) for message in others)
        assert not re.search(r"Agent-\d|model-\d|tone-\d", asked)
    assert {phase for role, phase in phases if role == "Mafia"} == {"Night", "Day", "Voting"}
    assert {phase for role, phase in phases if role == "Villager"} == {"Day", "Voting"}


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("{{rolle}}", "did you mean {{role}}?"),
        ("{{vars.tune}}", "did you mean {{vars.tone}}?"),
        ("{{role}} {{vars.tune}}", "did you mean {{vars.tone}}?"),
    ],
)
def test_a_prompt_that_cannot_be_filled_in_asks_nobody(prompt: str, said: str) -> None:
    overheard = Overheard(client())
    ports = Ports(Unrecorded(), LocalClearance(Limits()), overheard)
    with pytest.raises(UsageError) as caught:
        asyncio.run(play_task(game("thinking", {}, prompt), ports))
    assert said in str(caught.value)
    assert overheard.requests == []


def test_a_game_that_tells_no_role_where_it_should_is_void_by_the_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(TextArena, "known", lambda self, observation: PlayerKnows())
    ports = Ports(Unrecorded(), LocalClearance(Limits()), Overheard(client()))
    result = asyncio.run(play_task(game("thinking", {}), ports))

    assert isinstance(result, Voided)
    assert result.cause is VoidCause.ENVIRONMENT
    assert "known() returned the role None; expected a text" in result.error


def test_a_kind_that_takes_its_prompt_once_is_not_told_the_phase(install: Install) -> None:
    source = """
        from arena.core import Action

        class Silent:
            version = 1

            def __init__(self, *, prompt, options):
                pass

            async def act(self, observation, llm):
                return Action("")
    """
    install(source, {"agents": {"silent": "Silent"}})
    written = AgentConfig(name="A", kind="silent", model="m", prompt="p")
    check_retold(written, "You are {{role}}.")
    with pytest.raises(UsageError, match=r"the kind 'silent' takes its prompt once in a game"):
        check_retold(written, "It is {{phase}}.")
