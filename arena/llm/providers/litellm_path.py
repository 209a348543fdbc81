"""Says for a person how the calls to a model are sent, by what was learned of it."""

from __future__ import annotations

from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.lean.template import Trait
from arena.llm.providers.protocol import CallPath


def call_path(path: LeanPath | str) -> CallPath:
    """The way of a lean path, or of what was in the way of one."""
    if isinstance(path, str):
        return CallPath(False, path)
    why = "all that LiteLLM would send was seen, and is sent without it"
    if path.rewriting is not None:
        why = "messages are rewritten by LiteLLM's own function, and sent without the rest of it"
    if but := [trait.value for trait in Trait if trait not in path.allowed]:
        why += f", but for a conversation with {' or '.join(but)}"
    return CallPath(True, why, path.template.url.partition("?")[0])
