"""The Arena: tournaments between language-model agents on text games.

`arena.match` plays two agents against each other from Python, and returns their games."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.analysis.matches import match

__all__ = ["match"]


def __getattr__(name: str) -> Any:
    # A command that only reads would wait for what playing imports.
    if name == "match":
        from arena.analysis.matches import match

        return match
    raise AttributeError(f"module 'arena' has no attribute {name!r}")
