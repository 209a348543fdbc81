"""A browser at the pages without a network, and the tournament that it looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.responses import Response

from arena.viewer.access import Access
from arena.viewer.app import application
from arena.viewer.boards import BoardWorker
from arena.viewer.links import ServerLinks
from arena.viewer.templating import environment
from arena.viewer.visit import Visit
from db import Database

PORT = 8811
TOKEN = "a-token-of-the-tests"
HERE = f"http://127.0.0.1:{PORT}"

NAMES = ("Aardvark", "Basilisk", "Capybara", "Dormouse", "Echidna", "Flamingo")
TOURNAMENT = f"""
name: watched
seed: 11
environment: {{name: SecretMafia-v0, players: 6, options: {{discussion_rounds: 1}}}}
games: 3
matchmaker: {{name: random}}
models:
  - {{name: sharp, litellm_model: scripted/mafia-sharp}}
  - {{name: naive, litellm_model: scripted/mafia-naive}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}} of {{{{num_players}}}}."}}
  - {{name: calm, text: "You are player {{{{player_index}}}}. Stay calm."}}
agents:
  - {{name: {NAMES[0]}, model: sharp, prompt: plain}}
  - {{name: {NAMES[1]}, model: naive, prompt: plain}}
  - {{name: {NAMES[2]}, model: sharp, prompt: calm}}
  - {{name: {NAMES[3]}, model: naive, prompt: calm}}
  - {{name: {NAMES[4]}, model: sharp, prompt: plain, kind: remembering}}
  - {{name: {NAMES[5]}, model: naive, prompt: plain, kind: remembering}}
"""

Get = Callable[..., httpx.Response]


def sheet(template: str, status: int = 200, **values: Any) -> Response:
    """A template drawn without a database."""
    return Visit(None, environment(), ServerLinks()).draw(template, status, **values)  # type: ignore[arg-type]


@contextmanager
def browsing(
    url: str, cookie: str | None = TOKEN, *, people: bool = False, anywhere: bool = False
) -> Iterator[Get]:
    """A browser at the pages of a database: asks for a path, and follows nothing. With `people`
    those log in who have access, with `anywhere` from other machines."""
    with (
        Database(url, read_only=True) as database,
        Database(url) as writable,
        closing(BoardWorker(writable)) as worker,
    ):
        access = Access(database, writable) if people or anywhere else None
        app = application(
            database, worker, token=TOKEN, port=PORT, access=access, anywhere=anywhere
        )

        def get(
            path: str,
            method: str = "GET",
            form: dict[str, str] | str | None = None,
            **headers: str | bytes,
        ) -> httpx.Response:
            content = urlencode(form) if isinstance(form, dict) else form
            if form is not None:
                method = "POST"
                headers.setdefault("origin", HERE)
                headers.setdefault("content-type", "application/x-www-form-urlencoded")
            if cookie is not None:
                headers.setdefault("cookie", f"arena_{PORT}={cookie}")

            async def ask() -> httpx.Response:
                transport: Any = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
                    return await client.request(method, path, headers=headers, content=content)

            return asyncio.run(ask())

        yield get
