"""Vectors of what was said, by an embedding model: each action of a game that is over once, and
equal texts sent once."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np

from arena import registry
from arena.aside.together import together
from arena.core import CallAnswer, Message, ModelSpec, Usage, UsageError
from arena.core.threads import in_thread
from arena.llm.client import Client
from arena.llm.providers.litellm_embeddings import LiteLLMEmbeddings
from arena.llm.providers.protocol import Provider, ProviderSettings
from arena.llm.scripted.policies import tokens
from arena.llm.scripted.words import NAME
from arena.orchestrator.side_calls import CONCURRENCY, SideCalls, SideLog
from arena.orchestrator.specs import model_spec
from db import Database, Repository, Session
from db.search.filling import TellFilled
from db.search.vectors import (
    ActionText,
    add_vectors,
    clear_space,
    count_lacking,
    dimensions,
    known_vectors,
    lacking,
    spaces,
)

WORDS = ModelSpec("words", NAME)
"""The model where none is named and none has been used: it needs no provider."""

_LONGEST = 4_000  # characters of an action that are embedded
_IN_A_CALL = 64  # texts
_PAGE = 2_000  # actions that are read together
_PURPOSE = "embedding"


@dataclass(frozen=True, slots=True)
class FilledVectors:
    """What filling a space has done: `actions` that got a vector, `sent` of their texts."""

    space: str
    actions: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class EmbeddingPrice:
    """What filling a space would send: `texts` of `actions`, about so many `tokens`, at most
    `dollars`; None where no price is known."""

    space: str
    actions: int
    texts: int
    tokens: int
    dollars: float | None


def embedding_model(database: Database, name: str | None, *, anew: bool = False) -> ModelSpec:
    """The embedding model of this name in the catalogue, or `words`. Without a name the one that
    the vectors on record are of, `words` where there are none. With `anew` its vectors are deleted,
    and those that it had before it was changed.

    Raises UsageError for a name that is not there, for vectors of several models, and for a model
    that has changed since its vectors were made: they cannot be compared.
    """
    with database.session() as session:
        known = spaces(session)
        if name is None and len(known) > 1:
            names = [space.partition(": ")[0] for space in known]
            raise UsageError(
                f"there are vectors of {' and '.join(names)}, which cannot be compared: say which, "
                f"as in --embedding {names[0]}"
            )
        name = name or (known[0].partition(": ")[0] if known else WORDS.name)
        row = Repository(session).get_model_by_name(name)
        own = [space for space in known if space.startswith(f"{name}: ")]
        for space in own if anew else ():
            clear_space(session, space)
    if row is None and name != WORDS.name:
        raise UsageError(
            f"there is no model {name!r} in the catalogue: `arena models add` adds it; "
            f"{WORDS.name} needs none"
        )
    model = WORDS if row is None else model_spec(row)
    changed = [space for space in own if space != space_of(model) and not anew]
    if changed:
        raise UsageError(
            f"the vectors on record are of {changed[0]}, and the model is now {space_of(model)}: "
            "they cannot be compared; add it under another name, or make them anew with --rebuild"
        )
    return model


def space_of(model: ModelSpec) -> str:
    """The name of what a model's vectors can be compared in: all that changes them."""
    params = {name: value for name, value in model.params.items() if name != "extra_headers"}
    asked = f" {json.dumps(params, sort_keys=True)}" if params else ""
    return f"{model.name}: {model.litellm_model}{asked}" + (
        f" at {model.api_base}" if model.api_base else ""
    )


def embedding_client() -> Client:
    """A client whose models give vectors."""

    def make(name: str, settings: ProviderSettings) -> Provider:
        if name != "litellm":
            raise UsageError(
                f"vectors are asked of LiteLLM, and the model names the provider {name!r}: add it "
                "without one"
            )
        return LiteLLMEmbeddings(settings)

    return Client(make, policy=registry.policy)


def price_of_filling(database: Database, model: ModelSpec) -> EmbeddingPrice:
    """What `fill_vectors` would send, and its price; nothing is sent."""
    space, client = space_of(model), embedding_client()
    client.check(model)
    prices = client.prices(model)
    free = client.worst(model, ()) == 0.0
    actions, used, after = 0, 0, 0
    seen: set[bytes] = set()
    with database.session() as session:
        while page := lacking(session, space, after, _PAGE):
            after = page[-1].turn_id
            actions += len(page)
            texts = {hash_of(action.text): action.text for action in page}
            new = texts.keys() - known_vectors(session, space, [*texts]).keys() - seen
            used += sum(tokens(texts[digest][:_LONGEST]) for digest in new)
            seen |= new
    dollars = prices.cost(Usage(used or 1, 0)) if prices is not None else 0.0 if free else None
    return EmbeddingPrice(space, actions, len(seen), used, dollars)


def count_without_vector(database: Database, model: ModelSpec) -> int:
    """How many actions of games that are over have no vector of this model."""
    with database.session() as session:
        return count_lacking(session, space_of(model))


def hash_of(text: str) -> bytes:
    """What tells a text from others: of what is embedded of it."""
    return blake2b(text[:_LONGEST].encode("utf-8", "surrogatepass"), digest_size=16).digest()


async def fill_vectors(
    database: Database,
    model: ModelSpec,
    *,
    budget: float | None = None,
    concurrency: int = CONCURRENCY,
    told: TellFilled = lambda done, total: None,
) -> FilledVectors:
    """Embed every action of games that are over and that has no vector of this model, the oldest
    first; what was made before an interruption stays. `told` counts actions.

    Raises UsageError for a model that cannot be asked so, ProviderError, and a Pause where it, or
    the budget, lets nothing more be asked.
    """
    space, client = space_of(model), embedding_client()
    calls = SideCalls(database, model, client, budget=budget, concurrency=concurrency)
    with database.session() as session:
        total, size = count_lacking(session, space), dimensions(session, space)
    filling = _Filling(calls, space, size)
    after = done = 0
    try:
        async with calls.open():
            while page := await in_thread(_page, database, space, after):
                after = page[-1].turn_id
                await filling.fill(page)
                done += len(page)
                told(done, max(total, done))
    finally:
        await client.aclose()
    return FilledVectors(space, done, filling.sent)


def _page(database: Database, space: str, after: int) -> list[ActionText]:
    with database.session() as session:
        return lacking(session, space, after, _PAGE)


class _Filling:
    def __init__(self, calls: SideCalls, space: str, size: int | None) -> None:
        self.calls = calls
        self.space = space
        self.size = size
        self.sent = 0

    async def fill(self, page: Sequence[ActionText]) -> None:
        """Give each of some actions a vector: that of an equal text, or the model's."""
        by_hash: dict[bytes, list[ActionText]] = {}
        for action in page:
            by_hash.setdefault(hash_of(action.text), []).append(action)
        known = await in_thread(self._copied, by_hash)
        # A call is about one game: the one in which its texts were said first.
        by_game: dict[int, list[list[ActionText]]] = {}
        for digest, actions in by_hash.items():
            if digest not in known:
                by_game.setdefault(actions[0].game_id, []).append(actions)
        await together(
            self._ask(game_id, alike[at : at + _IN_A_CALL])
            for game_id, alike in by_game.items()
            for at in range(0, len(alike), _IN_A_CALL)
        )

    def _copied(self, by_hash: dict[bytes, list[ActionText]]) -> set[bytes]:
        with self.calls.database.session() as session:
            known = known_vectors(session, self.space, [*by_hash])
            add_vectors(
                session,
                self.space,
                {
                    action.turn_id: (digest, vector)
                    for digest, vector in known.items()
                    for action in by_hash[digest]
                },
            )
        return {*known}

    async def _ask(self, game_id: int, alike: Sequence[Sequence[ActionText]]) -> None:
        messages: list[Message] = [
            {"role": "user", "content": actions[0].text[:_LONGEST]} for actions in alike
        ]
        made: list[int] = []

        def put(session: Session, answer: CallAnswer) -> CallAnswer:
            """The vectors into their table, in the transaction that records the answer."""
            if answer.text is not None:
                made.append(self._put(session, answer.text, alike))
            return replace(answer, text=None)

        await self.calls.send(messages, SideLog(self.calls.database, game_id, None, _PURPOSE, put))
        self.sent += len(alike)
        if made and made[-1] != self.size:
            raise UsageError(
                f"the model {self.calls.model.name!r} gives vectors of {made[-1]} numbers now, and "
                f"those on record have {self.size}: they cannot be compared; make them anew with "
                "--rebuild"
            )

    def _put(self, session: Session, text: str, alike: Sequence[Sequence[ActionText]]) -> int:
        """How many numbers the vectors have; those of another size are not put anywhere."""
        made = np.frombuffer(base64.b64decode(text), "<f4").reshape(len(alike), -1)
        size = int(made.shape[1])
        self.size = self.size or size
        if size == self.size:
            lengths = np.linalg.norm(made, axis=1, keepdims=True)
            unit = np.divide(made, lengths, out=np.zeros_like(made), where=lengths > 0)
            vectors = {
                action.turn_id: (hash_of(action.text), vector.astype("<f4").tobytes())
                for actions, vector in zip(alike, unit, strict=True)
                for action in actions
            }
            add_vectors(session, self.space, vectors)
        return size
