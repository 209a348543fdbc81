"""How the games of a run reach their models: the client, and what its calls have to keep to."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from arena import registry
from arena.config import LLMConfig, TournamentConfig
from arena.core import ModelSpec, UsageError
from arena.core.execution import Slot
from arena.game.journal import Journal
from arena.game.loop import GameResult
from arena.game.task import GameTask, Ports, play_task
from arena.llm.cache import Answers
from arena.llm.clearance import GameAccount, LocalClearance
from arena.llm.client import Client
from arena.llm.costs.budget import Budget
from arena.llm.pacing.limits import Limits, ModelLimits, SentBefore
from arena.llm.pacing.loop_lag import LoopLag
from arena.orchestrator.stopping import GameWaiting, Stop


def client_for(config: TournamentConfig | None, *, keep_answers: bool = False) -> Client:
    """The client of a tournament, or of games that belong to none."""
    if config is None:
        return Client(registry.provider, policy=registry.policy, keep_answers=keep_answers)
    return Client(
        registry.provider,
        policy=registry.policy,
        provider=config.llm.provider,
        timeout=config.llm.timeout,
        retries=config.llm.retries,
        keep_answers=keep_answers,
        cached=[model.name for model in config.models if model.cache],
        logprobs=config.record.logprobs,
    )


def limits_for(
    config: TournamentConfig | None,
    lag: LoopLag,
    proven: Collection[str] = (),
    sent: Mapping[str, Sequence[SentBefore]] | None = None,
) -> Limits:
    """The limits of a tournament's models, or of games that belong to none; `proven` are the models
    that have answered before, `sent` is what they were sent in the last minute, `lag` that of the
    loop in which they are asked."""
    jitter = random.Random(0)
    if config is None:
        return Limits(doubt=LLMConfig().doubt, rng=jitter, lag=lag)
    return Limits(
        {model.name: ModelLimits(**model.limits.model_dump()) for model in config.models},
        patience=config.llm.patience,
        doubt=config.llm.doubt,
        games=config.concurrency,
        proven=proven,
        rng=jitter,
        lag=lag,
        sent=sent,
    )


def check_capped(client: Client, models: Iterable[ModelSpec], *, capped: bool) -> None:
    """Raises UsageError for models that cost money, as far as their prices are known, without any
    budget; and where spending is `capped` for a model whose worst case cannot be told."""
    for model in models:
        if capped:
            client.check_priced(model)
        elif (prices := client.prices(model)) is not None and prices.paid:
            raise UsageError(
                f"model {model.name!r} costs money, and nothing says how much may be spent: "
                "say it, as in --budget 5 (dollars)"
            )


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """What the games of one command share to reach their models. `budget` is None without a cap,
    `answers` where none are looked for before a call is sent; `cap` is the most dollars of the
    tournament, with what operators have allowed beyond its budget."""

    client: Client
    limits: Limits
    budget: Budget | None = None
    answers: Answers | None = None
    cap: float | None = None

    async def play(
        self,
        task: GameTask,
        journal: Journal,
        slot: Slot,
        stop: Stop,
        worth: Callable[[], bool],
        account: GameAccount | None = None,
    ) -> GameResult:
        """Play a task in a slot of the executor, lent while a call waits if that is `worth` it;
        `account` is what its calls are charged to.
        Raises what `arena.game.task.play_task` raises."""
        waiting = GameWaiting(slot, stop, worth)
        limits, budget = self.limits, self.budget
        with (
            # Also while the game waits: what a model is given to recover is not our lag.
            limits.lag.watched(),
            LocalClearance(limits, budget, waiting=waiting, account=account) as clearance,
        ):
            ports = Ports(journal, clearance, self.client, self.answers)
            return await slot.call(play_task, task, ports)
