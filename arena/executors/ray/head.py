"""The head of a Ray cluster as it is seen from outside: whether it answers, and lets this machine
in."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from arena.core import ArenaError, UsageError
from arena.core.threads import in_thread

# Seconds in which the head has to answer.
_PATIENCE = 10.0
# Seconds between two questions whether it is still there, and for how long it may be away: Ray
# ends every process that has missed it for 60 s, without a word of ours.
_EVERY = 5.0
_AWAY = 35.0
# The call of Ray with which each of its clients begins.
_BEGINNING = "/ray.rpc.NodeInfoGcsService/GetClusterId"
# How a client of HTTP/2 begins, and the types and flags of its frames (RFC 9113, 3.4 and 6).
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _END_HEADERS = 1, 4
# What gRPC answers, as its server writes it: a name, the length of the value, the value.
_STATUS = b"grpc-status"
_WELL, _UNAUTHENTICATED = b"\x010", b"\x0216"
_MOST = 2**14  # bytes of an answer


@dataclass(frozen=True, slots=True)
class _Answer:
    """Whether the head wants another token, and by what its cluster is known, if it says that."""

    refused: bool = False
    cluster: bytes = b""


def check_address(address: str, where: str = "") -> None:
    """Raises UsageError for what is not the address of a cluster's head, found `where`."""
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise UsageError(
            f"expected HOST:PORT of the head of a Ray cluster, such as 10.0.0.1:6379, found "
            f"{address!r}{where}"
        )


def enters_with_token(address: str) -> bool:
    """Whether the cluster at this address is entered with a token, which is in the environment or
    the file that Ray reads. Raises UsageError where no head of Ray answers, and where it does not
    take the token: Ray itself waits for minutes, and does not say why."""
    if not _asked(address, None).refused:
        return False
    token = _token()
    if token is None:
        raise UsageError(
            f"the Ray cluster at {address} is entered with a token, and there is none here: copy "
            "~/.ray/auth_token from its head"
        )
    if _asked(address, token).refused:
        raise UsageError(
            f"the Ray cluster at {address} does not take the token that is here: copy "
            "~/.ray/auth_token from its head, and set neither RAY_AUTH_TOKEN nor "
            "RAY_AUTH_TOKEN_PATH to another"
        )
    return True


async def watch_head(address: str) -> None:
    """Raises ArenaError once nobody has answered at this address for so long that Ray is about to
    give up, and for a head that was started anew: it knows no workers of before."""
    heard, known = time.monotonic(), b""
    token = _token() if os.environ.get("RAY_AUTH_MODE") == "token" else None
    while True:
        try:
            found = await in_thread(_asked, address, token)
        except UsageError as error:
            away = time.monotonic() - heard
            if away > _AWAY:
                raise _over(address, f"has been away for {away:.0f} s") from error
        else:
            heard = time.monotonic()
            if known and found.cluster and found.cluster != known:
                raise _over(address, "was started anew")
            known = found.cluster or known
        await asyncio.sleep(_EVERY)


def _token() -> str | None:
    """The token that Ray finds."""
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token.strip()
    path = os.environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        found = (Path(path) if path else Path.home() / ".ray" / "auth_token").read_text().strip()
    except OSError:
        return None
    return found or None


def _asked(address: str, token: str | None) -> _Answer:
    """What the head answers to one that has this token. Raises UsageError where none answers."""
    host, _, port = address.rpartition(":")
    try:
        until = time.monotonic() + _PATIENCE
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE) as asked:
            if os.environ.get("RAY_USE_TLS", "0") != "0":
                return _Answer()
            asked.sendall(_question(address, token))
            answer = _answer(asked, until)
    except (OSError, UnicodeError) as error:
        raise _silent(address, str(error)) from error
    if answer is None:
        raise _silent(address, "what listens there is something else")
    return answer


def _question(address: str, token: str | None) -> bytes:
    """An empty call of gRPC: its headers, none of which refers to an earlier one (RFC 7541, 6)."""
    headers = b"\x83\x86\x04%s\x01%s\x0f\x10%s\x00%s%s" % (
        _text(_BEGINNING),
        _text(address),
        _text("application/grpc"),
        _text("te"),
        _text("trailers"),
    )
    if token is not None:
        headers += b"\x0f\x08" + _text(f"Bearer {token}")
    return b"".join(
        (
            _PREFACE,
            _frame(_SETTINGS, 0, 0, b""),
            _frame(_HEADERS, _END_HEADERS, 1, headers),
            _frame(_DATA, _END_STREAM, 1, bytes(5)),
        )
    )


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return (
        len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload
    )


def _text(value: str) -> bytes:
    """A text of a header, its length before it in seven bits, or in more (RFC 7541, 5.1 and
    5.2)."""
    data = value.encode()
    length = len(data)
    if length < 0x7F:
        return bytes((length,)) + data
    more = bytearray((0x7F,))
    length -= 0x7F
    while length >= 0x80:
        more.append(length % 0x80 + 0x80)
        length //= 0x80
    return bytes((*more, length)) + data


def _answer(asked: socket.socket, until: float) -> _Answer | None:
    """What is answered until then; None by what is no head of Ray. A server of HTTP/2 that writes
    its status in another way is left to Ray. Raises TimeoutError for one that writes none."""
    read, cluster = b"", b""
    while len(read) < _MOST:
        try:
            # One that sends a byte now and then is not waited for at each.
            asked.settimeout(max(0.001, until - time.monotonic()))
            piece = asked.recv(_MOST)
        except TimeoutError:
            if any(kind == _HEADERS for kind, _ in _frames(read)):
                return _Answer()
            raise
        read += piece
        frames = list(_frames(read))
        if not piece or (frames and frames[0][0] != _SETTINGS):
            # No HTTP/2: it may wait for us.
            return None
        for kind, payload in frames:
            if kind == _DATA and payload:
                cluster = payload
            status = payload.partition(_STATUS)[2] if kind == _HEADERS else b""
            if status:
                refused = status.startswith(_UNAUTHENTICATED)
                well = status.startswith(_WELL)
                return _Answer(refused, cluster) if well or refused else None
    return None


def _frames(read: bytes) -> Iterator[tuple[int, bytes]]:
    """The type and payload of each frame that has come as a whole; of the first also before."""
    at = 0
    while len(read) > at + 3:
        end = at + 9 + int.from_bytes(read[at : at + 3], "big")
        if at and len(read) < end:
            return
        yield read[at + 3], read[at + 9 : end]
        at = end


def _over(address: str, how: str) -> ArenaError:
    return ArenaError(
        f"the head of the Ray cluster at {address} {how}: nothing is lost; type the same command "
        "again once `ray status` answers there, or with `--executor local`"
    )


def _silent(address: str, why: str) -> UsageError:
    return UsageError(
        f"no Ray cluster answers at {address} ({why}): look there with `ray status`, or leave out "
        "--ray-address to play on this machine"
    )
