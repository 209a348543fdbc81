"""A program that plays in the arena: one file, nothing but Python's standard library.

    from arena_remote import play

    def agent(observation):          # what the player sees, as text; TextArena's agents are such
        return "[4]"                 # what it says or does

    play(agent, name="bob", version="1")

    python bob.py                                    waits for calls: http://127.0.0.1:8080
    python bob.py --port 9000                        the same, elsewhere
    python bob.py --dial http://127.0.0.1:8700/bob   asks the arena whether it is its turn
    python bob.py --stdio                            is started by the arena

An agent that has `on_end(message)` is told how its games end: `message["result"]` is "win", "draw"
or "loss".
The observation is a `str` that knows more: `observation.message` is the whole message, with
`session`, `turn_number`, `player_index`, `num_players`, `environment`, `new` and `instructions`.
The secret (of calls), or the token (of dialling), is read from the variable ARENA_SECRET.
The protocol is described in docs/remote-agents.md.
"""

import argparse
import contextlib
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROTOCOL = 1
SKEW = 300.0


class Observation(str):
    """What a player sees; `message` is all that the arena said."""

    def __new__(cls, message):
        made = super().__new__(cls, message["observation"])
        made.message = message
        return made


class Program:
    """Answers messages: `agent` is called with an Observation."""

    def __init__(self, agent, name, version):
        self.agent = agent
        self.on_end = getattr(agent, "on_end", None)
        self.hello = {"type": "hello", "protocol": PROTOCOL, "name": name, "version": version}
        if self.on_end is not None:
            self.hello["end"] = True

    def answer(self, message):
        """The answer to a message, as a dict; what the agent raises is reported as an error."""
        kind = message.get("type")
        if kind == "hello":
            return self.hello
        if kind == "end":
            with contextlib.suppress(Exception):
                self.on_end(message)
            return {"type": "end", "turn": message["turn"]}
        if kind != "observe":
            return {"type": "error", "message": f"unknown type {kind!r}"}
        try:
            action = self.agent(Observation(message))
        except Exception as error:
            return {"type": "error", "message": f"{type(error).__name__}: {error}"[:500]}
        return {"type": "act", "turn": message["turn"], "action": str(action)}


def signed(secret, timestamp, body):
    """The signature of a body: HMAC-SHA256 of the timestamp, a dot and the body."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_signed(secret, headers, body):
    """Whether the arena has sent this, in the last minutes."""
    timestamp = headers.get("Arena-Timestamp", "")
    try:
        fresh = abs(time.time() - float(timestamp)) <= SKEW
    except ValueError:
        return False
    return fresh and hmac.compare_digest(
        signed(secret, timestamp, body), headers.get("Arena-Signature", "")
    )


def server(program, host="127.0.0.1", port=8080, secret=None):
    """An HTTP server that waits for calls; `serve_forever` runs it, `shutdown` ends it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60
        # An answer is a head and a body: neither waits for the other to arrive.
        disable_nagle_algorithm = True

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if secret is not None and not is_signed(secret, self.headers, body):
                self.reply(401, {"type": "error", "message": "the signature is wrong"})
                return
            self.reply(200, program.answer(json.loads(body)))

        def reply(self, status, answer):
            body = json.dumps(answer).encode()
            # The arena has gone where it has waited for as long as it does.
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    made = ThreadingHTTPServer((host, port), Handler)
    made.daemon_threads = True
    return made


def stdio(program):
    """Answers lines of stdin on stdout, until there are no more."""
    out, sys.stdout = sys.stdout, sys.stderr  # what an agent prints is no answer
    for line in sys.stdin:
        if line.strip():
            out.write(json.dumps(program.answer(json.loads(line))) + "\n")
            out.flush()


def dial(program, address, token, patience=60.0):
    """Asks the arena for turns and plays them, until it has been away for `patience` seconds."""
    say, seen = program.hello, time.monotonic()
    while True:
        try:
            heard = _post(address, token, say)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{address}: HTTP {error.code}: {error.read(500)}") from None
        except (OSError, ValueError):
            if time.monotonic() - seen > patience:
                return
            # Away, it says who it is when it is back; an answer that was lost is asked for again.
            time.sleep(0.2)
            say = program.hello
            continue
        say, seen = program.hello, time.monotonic()
        if heard.get("type") in ("observe", "end"):
            say = {**program.answer(heard), "turn": heard["turn"]}


def _post(address, token, message):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = urllib.request.Request(address, json.dumps(message).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read())


def play(agent, *, name, version, argv=None):
    """What a program does that has an agent: everything, as its command line says."""
    parser = argparse.ArgumentParser(description=f"{name} {version}, a remote agent of the arena")
    parser.add_argument("--host", default="127.0.0.1", help="where calls are waited for")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--dial", metavar="ADDRESS", help="ask the arena for turns there")
    parser.add_argument("--stdio", action="store_true", help="play on stdin and stdout")
    chosen = parser.parse_args(argv)
    program, secret = Program(agent, name, version), os.environ.get("ARENA_SECRET")
    with contextlib.suppress(KeyboardInterrupt):
        if chosen.stdio:
            stdio(program)
        elif chosen.dial:
            dial(program, chosen.dial, secret or "")
        else:
            waiting = server(program, chosen.host, chosen.port, secret)
            print(f"{name} waits at http://{chosen.host}:{waiting.server_port}", file=sys.stderr)
            waiting.serve_forever()


def first_option(observation):
    """An agent to begin with: takes the last `[option]` that it was offered."""
    *_, last = ["[0]", *(word for word in observation.replace("'", " ").split() if word[0] == "[")]
    return last.rstrip(",.;")


if __name__ == "__main__":
    play(first_option, name="first-option", version="1")
