"""Templates with every output made harmless and escaped."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from arena.viewer.texts import (
    WholeText,
    as_json,
    dollars,
    folded,
    harmless,
    is_grid,
    percent,
    rate,
    seconds,
    signed,
)


def environment() -> Environment:
    """The templates of the pages: an unknown name is an error, and a text is never markup."""
    made = Environment(
        loader=PackageLoader("arena.viewer", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        as_json=as_json,
        dollars=dollars,
        folded=folded,
        is_grid=is_grid,
        percent=percent,
        rate=rate,
        seconds=seconds,
        signed=signed,
        whole=WholeText,
    )
    return made


def page(templates: Environment, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A template as an answer."""
    text = templates.get_template(name).render(**values)
    return HTMLResponse(text.encode("utf-8", "backslashreplace"), status)
