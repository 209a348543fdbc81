"""Embedding models, asked through LiteLLM by the same client as models that answer in words.

A message is a text to embed, and the text of the answer is the vectors of all of them: base64 of
float32, little-endian, one after the other.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from arena.core import Completion, Message, ModelSpec, Usage, UsageError, text_of
from arena.llm.costs.prices import PriceTable, listed_prices
from arena.llm.failures.classify import Fault
from arena.llm.failures.inside import Heard
from arena.llm.failures.kinds import FaultKind
from arena.llm.providers.litellm import NO_TIMEOUT, LiteLLM
from arena.llm.providers.litellm_names import listed_entry
from arena.llm.providers.protocol import Answer, ProviderSettings
from arena.llm.scripted.policies import is_scripted, tokens
from arena.llm.scripted.words import NAME, words_vector
from arena.llm.secrets import headers_of, key_of


class LiteLLMEmbeddings:
    """Every embedding model that LiteLLM can reach, and `scripted/words`
    (`arena.llm.providers.protocol.Provider`)."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._litellm = LiteLLM(settings)

    def load(self, models: Iterable[ModelSpec]) -> None:
        """Import LiteLLM where any of the models needs it."""
        if not all(map(is_scripted, models)):
            self._litellm.loaded()

    def check(self, model: ModelSpec) -> None:
        """Raises UsageError for a model that cannot be asked for vectors."""
        if is_scripted(model):
            if model.litellm_model != NAME:
                raise UsageError(
                    f"{model.litellm_model!r} gives no vectors: expected {NAME}, or the name of an "
                    "embedding model, such as openai/text-embedding-3-small"
                )
            return
        if model.stream:
            raise UsageError(f"model {model.name!r} is streamed, and vectors come in one piece")
        self._litellm.check_name(model)

    def check_key(self, model: ModelSpec) -> None:
        self._litellm.check_key(model)

    def prepare(self, model: ModelSpec) -> WordsEndpoint | EmbeddingEndpoint:
        self.check(model)
        if is_scripted(model):
            return WordsEndpoint()
        litellm = self._litellm.loaded()
        kwargs: dict[str, Any] = {
            **model.params,
            "model": model.litellm_model,
            "max_retries": 0,
            "timeout": NO_TIMEOUT,
            "encoding_format": "float",
        }
        kwargs.pop("extra_headers", None)
        if model.api_base is not None:
            kwargs["api_base"] = model.api_base
            if not model.keyed:
                # Otherwise LiteLLM sends the key of the environment to whoever listens there.
                kwargs["api_key"] = "none"
        entry = listed_entry(litellm.model_cost, model)
        prices = None if entry is None else listed_prices(entry)
        return EmbeddingEndpoint(self._litellm, model, kwargs, prices)

    async def aclose(self) -> None:
        await self._litellm.aclose()


@dataclass(frozen=True, slots=True)
class WordsEndpoint:
    """`scripted/words`."""

    prices: PriceTable | None = None
    longest_answer: int | None = 0
    free: bool = True

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        texts = [text_of(message) for message in messages]
        used = Usage(sum(map(tokens, texts)), 0)
        return _answer([words_vector(text) for text in texts], NAME, used)


@dataclass(frozen=True, slots=True)
class EmbeddingEndpoint:
    """What every request to one embedding model shares."""

    provider: LiteLLM
    model: ModelSpec
    kwargs: Mapping[str, Any]
    prices: PriceTable | None = None
    longest_answer: int | None = 0
    free: bool = False

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        kwargs = {**self.kwargs, "input": [text_of(message) for message in messages]}
        key = key_of(self.model)
        if key is not None:
            kwargs["api_key"] = key
        if headers := headers_of(self.model):
            kwargs["extra_headers"] = headers

        async def asked(litellm: Any, heard: Heard) -> Answer:
            return _read(await litellm.aembedding(**kwargs), len(messages))

        return await self.provider.attempt(asked)


def _read(response: Any, wanted: int) -> Answer:
    """The vectors of a response, in the order of the texts. Raises Fault where they are none."""
    found: dict[int, list[float]] = {}
    for at, each in enumerate(getattr(response, "data", None) or ()):
        fields = each if isinstance(each, Mapping) else vars(each)
        place = fields.get("index")
        vector = fields.get("embedding")
        if isinstance(vector, list) and all(isinstance(value, int | float) for value in vector):
            found[at if place is None else place] = [float(value) for value in vector]
    vectors = [found.get(place, []) for place in range(wanted)]
    sizes = {len(vector) for vector in vectors}
    if len(sizes) != 1 or sizes == {0} or not all(map(math.isfinite, chain(*vectors))):
        raise Fault(
            "NoVectors",
            f"the answer to {wanted} texts has vectors of {sorted(sizes)} numbers: expected one "
            "for each text, all of one size; is this an embedding model?",
            kind=FaultKind.MODEL,
        )
    usage = getattr(response, "usage", None)
    used = Usage(getattr(usage, "prompt_tokens", None), 0)
    return _answer(vectors, getattr(response, "model", None), used)


def _answer(vectors: Sequence[Sequence[float]], model: str | None, usage: Usage) -> Answer:
    values = [*chain(*vectors)]
    text = base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
    said = {"texts": len(vectors), "dimensions": len(vectors[0]) if vectors else 0}
    return Answer(Completion(text, "stop", usage), model, said)
