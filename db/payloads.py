"""Reading observations and messages back whole, from the rows that store only what was new."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session, object_session

from db import keys
from db.codec import (
    ACTED,
    COPIES,
    JSON,
    REFERS,
    Codec,
    joined,
    split_answer,
    uncopied,
    without_references,
)
from db.errors import Damaged, DatabaseError
from db.transcripts.moved import StoredTexts
from db.transcripts.reading import archived_calls, archived_observations, archived_rows

# Characters of all texts of a game together. What is stored of them may be a thousandth.
MOST_OF_A_GAME = 2**30

# StoredTexts are read in the order of their keys, which is the order of play.
_OBSERVATIONS = text(
    "SELECT p.game_turn_id, p.prefix_len, p.prefix_hash, p.body, t.action, t.action_raw "
    "FROM turn_payloads p JOIN game_turns t ON t.id = p.game_turn_id "
    "WHERE p.game_turn_id >= :first AND p.game_turn_id <= :last ORDER BY p.game_turn_id"
)
_MESSAGES = text(
    "SELECT p.llm_call_id, c.call_number, p.prefix_len, p.prefix_hash, p.messages "
    "FROM call_payloads p JOIN llm_calls c ON c.id = p.llm_call_id "
    "WHERE p.llm_call_id >= :first AND p.llm_call_id <= :last ORDER BY p.llm_call_id"
)
_NUMBERS = text(
    "SELECT id, call_number FROM llm_calls WHERE id >= :first AND id <= :last ORDER BY id"
)
_RESPONSE = text(
    "SELECT p.response, t.action, t.action_raw FROM call_payloads p "
    "JOIN llm_calls c ON c.id = p.llm_call_id JOIN game_turns t ON t.id = c.game_turn_id "
    "WHERE p.llm_call_id = :call"
)


def as_done(action: str | None, raw: bytes | None) -> str | None:
    """An action as it was given, from its two columns."""
    return action if raw is None else bytes(raw).decode("utf-8", "surrogatepass")


@contextmanager
def at_turn(turn_id: int) -> Iterator[None]:
    """Inside, a stored text is read: what is wrong with it is Damaged, and names game and turn."""
    try:
        yield
    except Damaged:
        raise
    except (DatabaseError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as e:
        game_id, turn_number, player = keys.turn_of(turn_id)
        what = (
            e if isinstance(e, DatabaseError) else f"a stored text is no text of ours ({e!r:.80})"
        )
        raise Damaged(
            f"the record of game {game_id} is damaged at turn {turn_number} (player {player}): "
            f"{what}; use an earlier copy of the database (`arena db verify` lists what is damaged)"
        ) from e


class PayloadReader:
    """Rebuilds the texts of one game; feed it every turn and every call in order of their keys.

    Raises DatabaseError for what cannot have been written, and for a game whose texts would not
    fit into memory.
    """

    def __init__(self) -> None:
        self._codec = Codec()
        self._read = 0
        self._observations: dict[int, str] = {}
        self._messages: dict[tuple[int, int], str] = {}
        self._shown = ""
        self._written = ""

    def observation(
        self,
        player_index: int,
        prefix_len: int,
        prefix_hash: bytes | None,
        body: bytes,
        action: str | None,
    ) -> tuple[Any, Any]:
        """(the whole observation, the part of it that its player had not seen before).

        `action` is what was done in this turn, which later rows copy from. Raises DatabaseError
        for a broken chain.
        """
        tail, flags = self._codec.unpack(body)
        if flags & JSON:
            self._observations.pop(player_index, None)
            value = json.loads(tail)
            return value, value
        if flags & COPIES:
            tail = uncopied(self._shown, tail)
        before = self._observations.get(player_index, "")
        whole = joined(before, prefix_len, prefix_hash, tail)
        self._count(whole)
        self._observations[player_index] = whole
        self._shown = whole + (action or "")
        return whole, whole[len(before) :] if whole.startswith(before) else whole

    def messages(
        self,
        player_index: int,
        call_number: int,
        prefix_len: int,
        prefix_hash: bytes | None,
        body: bytes,
        observation: Any,
    ) -> Any:
        """The messages of a call; `observation` is that of its turn."""
        written = self.written(player_index, call_number, prefix_len, prefix_hash, body)
        return said_in(written, observation)

    def written(
        self,
        player_index: int,
        call_number: int,
        prefix_len: int,
        prefix_hash: bytes | None,
        body: bytes,
    ) -> tuple[str, int]:
        """The JSON of a call's messages, references left in it, and its flags."""
        tail, flags = self._codec.unpack(body)
        if flags & COPIES:
            tail = uncopied(self._written, tail)
        key = (player_index, call_number)
        whole = joined(self._messages.get(key), prefix_len, prefix_hash, tail)
        self._count(whole)
        self._messages[key] = self._written = whole
        return whole, flags

    def answer(self, body: bytes | None, action: str | None) -> tuple[str | None, Any]:
        """(text, response) of a call; (None, None) before it is answered. `action` is what was
        done in its turn."""
        if body is None:
            return None, None
        acted = body[0] & ACTED if body else 0
        stored, _ = self._codec.unpack(body, beside=(action or "") if acted else None)
        self._count(stored)
        return split_answer(stored, action if acted else None)

    def _count(self, text: str) -> None:
        self._read += len(text)
        if self._read > MOST_OF_A_GAME:
            raise DatabaseError(
                f"the game's texts are longer than {MOST_OF_A_GAME / 2**30:g} GiB: no game's are"
            )

    def reading(self, details: bytes | None) -> Any:
        """How a turn's action was read from what its model said; None for nothing to tell."""
        if details is None:
            return None
        return json.loads(self._codec.unpack(details)[0]).get("reading")


def said_in(written: tuple[str, int], observation: Any) -> Any:
    """The messages of a call from their JSON and its flags."""
    whole, flags = written
    value = json.loads(whole)
    return without_references(value, observation) if flags & REFERS else value


def _session(instance: Any) -> Session:
    session = object_session(instance)
    if session is None:
        raise DatabaseError(
            f"{type(instance).__name__} {instance.id} is no longer in a session: read its "
            "payload inside `with get_session(...)`"
        )
    return session


def read_observation(session: Session, game_turn_id: int) -> Any:
    """The whole observation of a turn, None when none is stored."""
    first, _ = keys.turns_of_game(keys.turn_of(game_turn_id)[0])
    reader = PayloadReader()
    whole: Any = None
    turn_id = None
    archived = archived_rows(session, keys.turn_of(game_turn_id)[0])
    found: Iterable[Any] = (
        session.execute(_OBSERVATIONS, {"first": first, "last": game_turn_id})
        if archived is None
        else (
            (*row[:4], *row[5:])
            for row in archived_observations(archived)
            if row[0] <= game_turn_id
        )
    )
    for turn_id, prefix_len, prefix_hash, body, action, raw in found:
        with at_turn(turn_id):
            player = keys.turn_of(turn_id)[2]
            whole, _ = reader.observation(
                player, prefix_len, prefix_hash, body, as_done(action, raw)
            )
    return whole if turn_id == game_turn_id else None


def read_messages(session: Session, call_id: int) -> Any:
    """The whole messages of a call, None when none are stored."""
    first, _ = keys.calls_of_game(keys.turn_of(call_id >> 8)[0])
    reader = PayloadReader()
    written = ("null", JSON)
    found = None
    archived = archived_rows(session, keys.turn_of(call_id >> 8)[0])
    rows: Iterable[Any] = session.execute(
        _MESSAGES if archived is None else _NUMBERS, {"first": first, "last": call_id}
    )
    if archived is not None:
        stored = {row[0]: row[1:4] for row in archived_calls(archived)}
        rows = ((key, number, *stored[key]) for key, number in rows if key in stored)
    for found, number, prefix_len, prefix_hash, body in rows:
        with at_turn(found >> 8):
            player = keys.turn_of(found >> 8)[2]
            written = reader.written(player, number, prefix_len, prefix_hash, body)
    if found != call_id:
        return None
    refers = written[1] & REFERS
    observation = read_observation(session, call_id >> 8) if refers else None
    with at_turn(call_id >> 8):
        return said_in(written, observation)


def loaded_observation(turn: Any) -> Any:
    """`GameTurn.observation`: read once, then kept with the instance."""
    info = inspect(turn).info
    if "observation" not in info:
        info["observation"] = read_observation(_session(turn), turn.id)
    return info["observation"]


def loaded_messages(call: Any) -> Any:
    """`LLMCall.messages`: read once, then kept with the instance."""
    info = inspect(call).info
    if "messages" not in info:
        info["messages"] = read_messages(_session(call), call.id)
    return info["messages"]


def _loaded_answer(call: Any) -> tuple[str | None, Any]:
    info = inspect(call).info
    if "answer" not in info:
        session = _session(call)
        found: Any = session.execute(_RESPONSE, {"call": call.id}).first()
        if found is None:
            found = _archived_answer(session, call.id)
        if found is None or found[0] is None:
            # An intent may be answered while this instance lives.
            return None, None
        with at_turn(call.id >> 8):
            info["answer"] = PayloadReader().answer(found[0], as_done(found[1], found[2]))
    return cast("tuple[str | None, Any]", info["answer"])


def _archived_answer(session: Session, call_id: int) -> tuple[Any, ...] | None:
    """(response, action, action_raw) of a call whose game is archived."""
    archived = archived_rows(session, keys.turn_of(call_id >> 8)[0])
    if archived is None:
        return None
    response = next((row[4] for row in archived_calls(archived) if row[0] == call_id), None)
    turn: Any = next((row for row in archived["game_turns"] if row["id"] == call_id >> 8), {})
    return response, turn.get("action"), turn.get("action_raw")


def archived_actions(rows: StoredTexts) -> dict[int, tuple[str | None, str | None]]:
    """(action, what the rules were given where it differs) by the key of a turn, of an archived
    game; a turn without either is not among them."""
    return {
        row["id"]: (
            as_done(row["action"], row["action_raw"]),
            as_done(row["submitted"], row["submitted_raw"]),
        )
        for row in rows["game_turns"]
    }


def loaded_action(turn: Any) -> tuple[str | None, str | None]:
    """(action, submitted) of a turn whose game is archived; nothing for any other."""
    session = object_session(turn)
    if session is None or turn.acted_at is None:
        return None, None
    archived = archived_rows(session, turn.game_id)
    return (
        (None, None) if archived is None else archived_actions(archived).get(turn.id, (None, None))
    )


def loaded_text(call: Any) -> str | None:
    """`LLMCall.text`."""
    return _loaded_answer(call)[0]


def loaded_response(call: Any) -> Any:
    """`LLMCall.response`."""
    return _loaded_answer(call)[1]
