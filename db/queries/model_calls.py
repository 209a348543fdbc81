"""The latest requests to a model: how many tokens it takes a character for."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from db.errors import DatabaseError
from db.keys import calls_of_game
from db.models import LLMCall


class RequestLength(NamedTuple):
    """What a request has taken."""

    characters: int
    prompt_tokens: int


def read_requests(
    session: Session, game_id: int, litellm_model: str, *, limit: int
) -> list[RequestLength]:
    """The latest answered requests of a game to a model that can be read, of at most `limit`;
    answers from the cache are left out."""
    first, after = calls_of_game(game_id)
    query = (
        select(LLMCall)
        .where(
            col(LLMCall.id) >= first,
            col(LLMCall.id) < after,
            col(LLMCall.model) == litellm_model,
            col(LLMCall.prompt_tokens) > 0,
            col(LLMCall.error_class).is_(None),
            col(LLMCall.cached).is_(False),
        )
        .order_by(col(LLMCall.id).desc())
        .limit(limit)
    )
    found = []
    for call in session.exec(query):
        try:
            messages = call.messages
        except DatabaseError:
            continue
        # Texts may have been dropped to save space.
        characters = sum(_length(message.get("content")) for message in messages or ())
        if characters and call.prompt_tokens:
            found.append(RequestLength(characters, call.prompt_tokens))
    return found


def _length(content: Any) -> int:
    """Characters of a content: a text, or parts of which some are."""
    if isinstance(content, str):
        return len(content)
    return sum(len(part["text"]) for part in content or () if isinstance(part.get("text"), str))
