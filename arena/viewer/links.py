"""Addresses as templates write them: of the server, or of a file in a static copy."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote, urlencode

from markupsafe import Markup

_BEFORE, _AFTER = Markup(' href="'), Markup('"')


class Links(Protocol):
    """What the pages can lead to. `policy` is the Content-Security-Policy that each page carries
    itself and `about` what a copy holds; both are empty where a server answers."""

    @property
    def policy(self) -> str: ...
    @property
    def about(self) -> str: ...

    def address(self, path: str) -> str | None:
        """The address of a page by its path and query at the server, None where there is no such
        page."""
        ...

    def asset(self, name: str) -> str:
        """The address of a style sheet, script, font or picture of the pages."""
        ...


class ServerLinks:
    """The addresses of `arena view`: every page is there."""

    policy = ""
    about = ""

    def address(self, path: str) -> str:
        """The path itself."""
        return path

    def asset(self, name: str) -> str:
        """Below /static."""
        return f"/static/{name}"


def path_of(*parts: object, **query: object) -> str:
    """A path of the server: its parts quoted, and those of the query that have a value."""
    path = "/" + "/".join(quote(str(part), safe="") for part in parts)
    asked = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(asked)}" if asked else path


_LONGEST = 6_000
"""Characters of an address that a page leads to: a server takes no longer ones."""


def attributes(links: Links) -> dict[str, Any]:
    """What templates write links with: `href("game", 3, as=2)` is the attribute, and empty where
    there is no such page, so that `<a>` is plain text there; `asset("base.css")` is an address."""

    def href(*parts: object, fragment: str = "", **query: object) -> Markup:
        return href_to(path_of(*parts, **query), fragment)

    def href_to(path: str, fragment: str = "") -> Markup:
        address = links.address(path)
        if address is None or len(address) > _LONGEST:
            return Markup("")
        # As `format` would, in less time: a page may have a thousand.
        return _BEFORE + (f"{address}#{fragment}" if fragment else address) + _AFTER

    return {
        "href": href,
        "href_to": href_to,
        "asset": links.asset,
        "policy": links.policy,
        "about": links.about,
    }
