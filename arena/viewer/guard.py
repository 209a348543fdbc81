"""Who may ask for pages: this machine's own browser, with the token, at this address, and people
with tokens of their own; to read, and to write at the few places for that."""

from __future__ import annotations

import logging
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.core.text import one_line
from arena.viewer.access import Access, Visitor, refusal
from arena.viewer.links import ServerLinks, attributes
from arena.viewer.templating import environment, page

_log = logging.getLogger(__name__)

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
WRITTEN = frozenset({"/annotate", "/play", "/login", "/logout"})
"""The paths that take a form; everything else is only read."""
LARGEST_FORM = 256 * 1024
_LONGEST_QUERY = 8 * 1024
_LARGEST_HEADERS = 32 * 1024
_FORM = "application/x-www-form-urlencoded"
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")
_LONGEST_LOGIN = 4 * 1024
_LONGEST_LOGGED = 300
# What a page needs before anybody has logged in.
_OPEN = ("/login", "/static/")
METRICS = "/metrics"
"""What programs read: they show their token in a header (`Authorization: Bearer ...`)."""
VISITOR = "arena_visitor"
"""Where the scope of a request has the person who asks, if one has logged in."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets through to `app` what the page's own browser asks: the Host is this machine's loopback
    at `port`, no other site sent it, and its cookie holds the `token`. An address with the token is
    answered with the cookie, and with the address without it. A form is taken at `WRITTEN` alone,
    and only from a page of this very address: its Origin is the Host that it asks.

    Whose cookie is a token of a person's is let through to what that person may do
    (`arena.viewer.access`); `anywhere`, where other machines ask, nobody else is."""

    app: ASGIApp
    token: str
    port: int
    access: Access | None = None
    anywhere: bool = False

    @property
    def cookie(self) -> str:
        """Cookies do not tell ports apart: the name does."""
        return f"arena_{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request, with the headers that every answer has."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        begun = time.monotonic()

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _log_answer(scope, message["status"], time.monotonic() - begun)
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        answer = self._refusal(scope)
        if answer is None and scope["path"] == "/login" and scope["method"] == "POST":
            answer = await self._login(scope, receive)
        elif answer is None:
            answer = await self._visitor_refusal(scope)
        await (answer or self.app)(scope, receive, sealed)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.anywhere:
            if _HOST.fullmatch(host) is None:
                return _said(400, "The address is none.")
        elif host not in {f"{name}:{self.port}" for name in _LOOPBACK}:
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
        if given is not None and not self.anywhere and self._fits(given):
            rest = urlencode([pair for pair in asked if pair[0] != "token"])
            # Nothing but a path of ours: `//elsewhere` would be an address.
            path = "/" + scope["path"].lstrip("/\\")
            answer = RedirectResponse(f"{path}?{rest}" if rest else path, 303)
            answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
            return answer
        return None

    async def _visitor_refusal(self, scope: Scope) -> Response | None:
        """Lets through who holds the token of this server, and people to what they may do."""
        headers, path = Headers(scope=scope), scope["path"]
        held = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        if path == METRICS and not held:
            held = _bearer(headers)
        if not self.anywhere and self._fits(held):
            return None
        if path == "/logout" and self.access is not None:
            return self._without_cookie(scope)
        if self.access is None or not await run_in_threadpool(self.access.given):
            return _said(404, "Nothing here: open the address that `arena view` printed.")
        if path.startswith(_OPEN):
            return None
        visitor = await self._visitor(scope, held)
        if isinstance(visitor, Response):
            return visitor
        if visitor is None and path == METRICS:
            said = "Show a token of `arena access`: Authorization: Bearer TOKEN."
            return _said(401, said, **{"www-authenticate": "Bearer"})
        if visitor is None:
            return self._without_cookie(scope)
        if why := refusal(visitor, path):
            if path == "/" and visitor.may("play"):
                return RedirectResponse("/play", 303)
            return _said(403, why[:1].upper() + why[1:] + ".")
        scope[VISITOR] = visitor
        return None

    async def _visitor(self, scope: Scope, token: str) -> Visitor | Response | None:
        """Whose token this is. Wrong ones are counted, and not looked at when there are many."""
        assert self.access is not None
        address = (scope.get("client") or ("", 0))[0]
        if not token:
            return None
        if self.access.wrong.too_many(address):
            return _said(429, "Too many wrong tokens: wait a minute.", **{"retry-after": "60"})
        visitor = await run_in_threadpool(self.access.visitor, token)
        if visitor is None:
            self.access.wrong.add(address)
        return visitor

    async def _login(self, scope: Scope, receive: Receive) -> Response:
        """Take a token, and give it to the browser to keep for as long as it is open."""
        if self.access is None:
            return _said(404, "Nobody has to log in here.")
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return _said(400, "The form was not sent whole.")
            body += message.get("body", b"")
            if len(body) > _LONGEST_LOGIN:
                return _said(413, "The form is longer than a token is.")
            if not message.get("more_body"):
                break
        form = dict(parse_qsl(body.decode("latin-1"), max_num_fields=5))
        token = form.get("token", "").strip()
        visitor = await self._visitor(scope, token)
        if isinstance(visitor, Response):
            return visitor
        if visitor is None:
            return _login_page("This is nobody's token, or it was revoked.", 403)
        answer = RedirectResponse("/play" if visitor.seats else "/", 303)
        answer.set_cookie(
            self.cookie,
            token,
            httponly=True,
            samesite="strict",
            path="/",
            secure=scope.get("scheme") == "https",
        )
        return answer

    def _without_cookie(self, scope: Scope) -> Response:
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(self.cookie, path="/")
        return answer

    def _form_refusal(self, headers: Headers) -> Response | None:
        # Every browser says where a form comes from; what says nothing is none, and has no token.
        from_here = headers.get("sec-fetch-site", "same-origin") == "same-origin"
        schemes = ("http", "https") if self.anywhere else ("http",)
        here = {f"{scheme}://{headers['host']}" for scheme in schemes}
        if not from_here or headers.get("origin") not in here:
            return _said(403, "A form is only taken from a page of this server.")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return _said(415, f"A form is sent as {_FORM}.")
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            return _said(411, "A form says how long it is.")
        if len(length) > 9 or int(length) > LARGEST_FORM:
            return _said(413, f"The form is longer than {LARGEST_FORM:,} bytes.")
        return None

    def _fits(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "replace"), self.token.encode())


def _bearer(headers: Headers) -> str:
    """The token that a program shows, '' for none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _log_answer(scope: Scope, status: int, seconds: float) -> None:
    """What was asked and how it was answered, without the query, which may hold a token."""
    visitor = scope.get(VISITOR)
    whose = "" if visitor is None else f" for {visitor.name}"
    said = f"{scope['method']} {scope['path']}: {status} in {seconds * 1e3:.0f} ms{whose}"
    _log.info("%s", one_line(said, _LONGEST_LOGGED))


def _login_page(why: str, status: int) -> Response:
    known = attributes(ServerLinks()) | {"live": True, "watched": None}
    return page(environment(), "login.html", status, why=why, **known)


def _said(status: int, text: str, **headers: str) -> Response:
    return PlainTextResponse(text + "\n", status, headers)
