"""The lean path of the provider `litellm`: asks LiteLLM once what it would send, then sends that.

Whatever comes in that is not a plain answer is handed to LiteLLM as it was received, so that faults
and rare forms are read by it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.lean.reading import begun, hear, read
from arena.llm.providers.lean.wire import Wire
from arena.llm.providers.litellm_learning import SEED, Ask, Learning, NotLearned, asked_of
from arena.llm.providers.litellm_replayed import replayed
from arena.llm.providers.litellm_transport import MOST, answered
from arena.llm.providers.protocol import Answer


class LeanRequests:
    """What one provider sends without LiteLLM; `send` asks LiteLLM itself."""

    def __init__(self, send: Ask) -> None:
        self._send = send
        self._wire: Wire | None = None

    async def aclose(self) -> None:
        """Close the connections; they are made again when they are needed."""
        if self._wire is not None:
            await self._wire.aclose()

    async def learn(
        self,
        kwargs: Mapping[str, Any],
        *,
        key: bool,
        headers: Sequence[str],
        seeded: bool,
        marks: bool = False,
    ) -> LeanPath | str:
        """The lean path of a model that is asked with these arguments, or why it has none. `key`
        says that the model names its key, `headers` which headers have values of their own,
        `seeded` that each call has a seed, `marks` that its prompts are marked for a cache."""
        asked = asked_of(kwargs, key=key, headers=headers, seeded=seeded)
        learning = Learning(self._send, asked, SEED if seeded else None, marks)
        try:
            path, transport = await learning.path()
            self._wire = self._wire or Wire(_sessions_of(transport))
        except NotLearned as why:
            return str(why)
        except Exception as error:
            # Calls take the way that is known to work.
            return f"learning how it is asked fails: {type(error).__name__}"
        return path

    async def ask(
        self,
        path: LeanPath,
        kwargs: Mapping[str, Any],
        messages: Sequence[Mapping[str, Any]],
        secrets: Mapping[str, str],
        seed: int | None,
        note: Callable[[str], None],
    ) -> Answer:
        """One request by a lean path; `kwargs` are those with which LiteLLM reads what is not
        plain. `note` is told why one that cannot be made so goes through LiteLLM. Whatever else
        goes wrong is raised."""
        assert self._wire is not None
        try:
            body = await path.body(messages, seed)
        except Exception as error:
            if path.rewriting is None:
                note("a text that is not Unicode")
            else:
                note(f"LiteLLM's rewriting fails ({type(error).__name__})")
            # It is LiteLLM's to say what is wrong with them.
            return await self._send(kwargs, messages)
        head = path.head(secrets, body)
        if head is None:
            note("a key is gone")
            return await self._send(kwargs, messages)
        stream = begun(path.dialect) if kwargs.get("stream") else None
        came = await self._wire.send(
            *head, body, path.how, MOST, None if stream is None else partial(hear, stream)
        )
        answer = read(path.dialect, came, stream, path.prefix)
        if answer is not None:
            return answer
        first = None if stream is None else stream.first_token_ms or stream.now()
        with answered(lambda _, request: replayed(request, came)):
            theirs = await self._send(kwargs, messages)
        return theirs if theirs.first_token_ms is None else replace(theirs, first_token_ms=first)


def _sessions_of(transport: Any) -> Callable[[], Any]:
    make: Callable[[], Any] = transport._client_factory
    return make
