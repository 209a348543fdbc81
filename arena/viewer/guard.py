"""Who may ask for pages: this machine's own browser, with the token, at this address, to read, and
to write at the one place for that."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{what}-src 'self'" for what in ("script", "style", "img", "font", "connect")),
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # Without any referrer a browser sends `Origin: null` with a form, which tells nothing.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
WRITTEN = frozenset({"/annotate"})
"""The paths that take a form; everything else is only read."""
LARGEST_FORM = 256 * 1024
_LONGEST_QUERY = 8 * 1024
_LARGEST_HEADERS = 32 * 1024
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets through to `app` what the page's own browser asks: the Host is this machine's loopback
    at `port`, no other site sent it, and its cookie holds the `token`. An address with the token is
    answered with the cookie, and with the address without it. A form is taken at `WRITTEN` alone,
    and only from a page of this very address: its Origin is the Host that it asks."""

    app: ASGIApp
    token: str
    port: int

    @property
    def cookie(self) -> str:
        """Cookies do not tell ports apart: the name does."""
        return f"arena_{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request, with the headers that every answer has."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        answer = self._refusal(scope) or self.app
        await answer(scope, receive, sealed)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if headers.get("host", "") not in {f"{name}:{self.port}" for name in _LOOPBACK}:
            return _said(421, f"This server answers at 127.0.0.1:{self.port} only.")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return _said(403, "Pages of other sites may not ask here.")
        if len(scope["query_string"]) > _LONGEST_QUERY:
            return _said(414, f"The address is longer than {_LONGEST_QUERY:,} bytes.")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _LARGEST_HEADERS:
            return _said(431, f"The headers are longer than {_LARGEST_HEADERS:,} bytes.")
        if scope["method"] == "POST" and scope["path"] in WRITTEN:
            return self._form_refusal(headers)
        if scope["method"] not in ("GET", "HEAD"):
            return _said(405, "Pages are only read.", allow="GET, HEAD")
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = next((value for name, value in asked if name == "token"), None)
        if given is not None and self._fits(given):
            rest = urlencode([pair for pair in asked if pair[0] != "token"])
            # Nothing but a path of ours: `//elsewhere` would be an address.
            path = "/" + scope["path"].lstrip("/\\")
            answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
            answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
            return answer
        return self._token_refusal(headers)

    def _token_refusal(self, headers: Headers) -> Response | None:
        if not self._fits(cookie_parser(headers.get("cookie", "")).get(self.cookie, "")):
            return _said(404, "Nothing here: open the address that `arena view` printed.")
        return None

    def _form_refusal(self, headers: Headers) -> Response | None:
        # Every browser says where a form comes from; what says nothing is none, and has no token.
        from_here = headers.get("sec-fetch-site", "same-origin") == "same-origin"
        if not from_here or headers.get("origin") != f"http://{headers['host']}":
            return _said(403, "A form is only taken from a page of this server.")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return _said(415, f"A form is sent as {_FORM}.")
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            return _said(411, "A form says how long it is.")
        if len(length) > 9 or int(length) > LARGEST_FORM:
            return _said(413, f"The form is longer than {LARGEST_FORM:,} bytes.")
        return self._token_refusal(headers)

    def _fits(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


def _said(status: int, text: str, **headers: str) -> Response:
    return PlainTextResponse(text + "\n", status, headers)
