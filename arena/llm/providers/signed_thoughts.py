"""The signed thoughts of a model that calls a tool, which its provider wants back with the result.

They are kept as LiteLLM has them (`thinking_blocks`): `{"type": "thinking", "thinking": "...",
"signature": "..."}`, or `{"type": "redacted_thinking", "data": "..."}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from arena.llm.providers.usage import get

_MOST_BLOCKS = 64
_LONGEST = 1_000_000  # characters of all of them


@dataclass(slots=True)
class SignedThoughts:
    """Puts them together, from a whole message or from the pieces of a stream."""

    blocks: list[dict[str, str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def add(self, message: Any) -> None:
        """Take what a message, or the next piece of one, has of them."""
        pieces = get(message, "thinking_blocks")
        for piece in pieces if isinstance(pieces, list | tuple) else ():
            kind, data = get(piece, "type"), get(piece, "data")
            if kind == "redacted_thinking" and isinstance(data, str):
                self.blocks.append({"type": kind, "data": data})
            elif kind == "thinking":
                thought, signature = get(piece, "thinking"), get(piece, "signature")
                if isinstance(thought, str):
                    self._open.append(thought)
                if isinstance(signature, str) and signature:
                    # A block ends with its signature.
                    whole = "".join(self._open)
                    self.blocks.append({"type": kind, "thinking": whole, "signature": signature})
                    self._open.clear()

    def kept(self) -> list[dict[str, str]]:
        """All of them; none where they are more than can be kept, since a part is refused."""
        size = sum(len(text) for block in self.blocks for text in block.values())
        return self.blocks if len(self.blocks) <= _MOST_BLOCKS and size <= _LONGEST else []
