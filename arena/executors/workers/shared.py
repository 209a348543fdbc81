"""Writes tasks for one worker; what many tasks have in common is sent to it once."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from arena.core import AgentSpec, ModelSpec, UsageError
from arena.executors.workers.outbox import Packet
from arena.llm.client import Client

_SHARED = (AgentSpec, Client, ModelSpec)


class NotPlainData(UsageError):
    """A part of the run exists in the memory of this process only: no other can play with it."""

    @classmethod
    def of(cls, error: Exception) -> NotPlainData:
        """What this error was raised for. Which one it is, is the choice of what cannot be
        pickled."""
        return cls(
            "games cannot be sent to other processes, because a part of this run exists in the "
            f"memory of this one only ({error}): take `executor: local`"
        )


class SharedParts:
    """The parts of tasks that one worker has. `send` sends to it.

    A part is the same object there as often as it is the same object here: what a client has
    prepared for a model is found again, and a prompt is sent once.
    """

    def __init__(self, send: Callable[[Packet], None]) -> None:
        self._send = send
        self._numbers: dict[int, int] = {}
        # Kept, so that the id of one is not given to another.
        self._parts: list[Any] = []

    def written(self, value: Any) -> bytes:
        """A value for the worker. Raises NotPlainData."""
        return self._written(value, None)

    def _written(self, value: Any, within: Any) -> bytes:
        data = io.BytesIO()
        try:
            _TaskPickler(data, self._number, within).dump(value)
        except NotPlainData:
            raise
        except Exception as error:
            raise NotPlainData.of(error) from error
        return data.getvalue()

    def _number(self, part: Any) -> int:
        number = self._numbers.get(id(part))
        if number is None:
            data = self._written(part, part)
            number = self._numbers[id(part)] = len(self._parts)
            self._parts.append(part)
            self._send(("share", number, data))
        return number


class _TaskPickler(pickle.Pickler):
    def __init__(self, data: io.BytesIO, number: Callable[[Any], int], within: Any) -> None:
        super().__init__(data, pickle.HIGHEST_PROTOCOL)
        self._number = number
        self._within = within

    def persistent_id(self, value: Any) -> int | None:
        if isinstance(value, _SHARED) and value is not self._within:
            return self._number(value)
        return None
