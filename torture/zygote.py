"""Runs `arena` commands in children forked from a process that has imported everything already.

The import of LiteLLM takes three seconds of CPU. A process that has paid for it once, and has
started no thread and no event loop, is forked for every command: the child replaces its standard
streams, its environment and its arguments, and calls the entry point `arena` as the installed
command does. Each child leads a process group of its own, so that a signal reaches it alone.

The other end of it is `torture.commands`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

_WARM = (
    "alembic.command",
    "arena.agents.remembering",
    "arena.agents.thinking",
    "arena.analysis",
    "arena.cli.app",
    "arena.cli.leaderboard",
    "arena.cli.progress",
    "arena.cli.transcript",
    "arena.config.shipped",
    "arena.environments.textarena",
    "arena.executors.local",
    "arena.matchmakers.random",
    "arena.orchestrator",
    "arena.ratings.trueskill",
    "arena.replay.check",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
)
_LATER = (
    "alembic.config",
    "jiter",
    "litellm._service_logger",
    "litellm.proxy._types",
    "nltk",
    "openai._extras",
    "openai.resources",
    "openai.resources.beta",
    "openai.resources.realtime",
    "openai.resources.responses",
    "rich.layout",
    "textarena.envs.SecretMafia.env",
)


def warm() -> None:
    """Import what a run needs; nothing that starts a thread."""
    for module in _WARM:
        importlib.import_module(module)
    from arena import registry
    from arena.llm.providers.litellm import LiteLLM
    from arena.llm.providers.protocol import ProviderSettings

    LiteLLM(ProviderSettings(120.0, registry.policy)).load()
    # What LiteLLM and TextArena import at the first call and game, where they do.
    for module in _LATER:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    gc.collect()
    gc.freeze()


def _set_clock(after: float, by: float) -> None:
    """From `after` seconds on, this process is told a time that is `by` seconds off."""
    turns = time.monotonic() + after
    true_time = time.time

    def off() -> float:
        return by if time.monotonic() >= turns else 0.0

    class Clock(datetime):
        """`datetime`, but for what it takes the present to be."""

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=off())

    time.time = lambda: true_time() + off()
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("arena", "db"):
            for attribute, value in list(vars(module).items()):
                if value is datetime:
                    setattr(module, attribute, Clock)
                elif value is true_time:
                    setattr(module, attribute, time.time)


def become(order: Mapping[str, Any]) -> None:
    """In the child: run the command and end with its exit code."""
    code = 1
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for path, descriptor in ((order["stdout"], 1), (order["stderr"], 2)):
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(opened, descriptor)
            os.close(opened)
        # What a stream can do is asked once, when it is made: these are of other files.
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, "utf-8", errors="backslashreplace", closefd=False)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.closerange(3, 256)
        os.chdir(order["cwd"])
        os.environ.update(order["env"])
        sys.argv = ["arena", *order["arguments"]]
        if order.get("largest_file"):
            limit = order["largest_file"]
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        if order.get("core_files"):
            _, most = resource.getrlimit(resource.RLIMIT_CORE)
            resource.setrlimit(resource.RLIMIT_CORE, (most, most))
        if order.get("clock"):
            _set_clock(*order["clock"])
        from arena.cli import main

        main()
        code = 0
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                code = code or 120
        os._exit(code)


def _tell(message: Mapping[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def serve() -> None:
    """Take orders from standard input, a line of JSON each, until it closes; then kill whatever
    is left. A pid is signalled only while it is a child that has not been waited for."""
    warm()
    awake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # It ends when its input does, also where a signal goes to everybody, and takes its children
    # with it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    ready = selectors.DefaultSelector()
    ready.register(0, selectors.EVENT_READ)
    ready.register(awake, selectors.EVENT_READ)
    alive: set[int] = set()
    waiting = b""
    _tell({"ready": os.getpid()})
    while True:
        # A child that ends just before the wait is seen at the next look.
        events = ready.select(0.5)
        for key, _ in events:
            if key.fd == awake:
                os.read(awake, 4096)
                continue
            data = os.read(0, 65536)
            if not data:
                for pid in alive:
                    os.kill(pid, signal.SIGKILL)
                return
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                _obey(json.loads(line), alive)
        for pid in list(alive):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                alive.discard(pid)
                code = os.waitstatus_to_exitcode(status)
                _tell({"pid": pid, "exit": code, "at": time.monotonic()})


def _obey(order: Mapping[str, Any], alive: set[int]) -> None:
    if "signal" in order:
        pid = order["pid"]
        at = time.monotonic()
        if pid in alive:
            os.kill(pid, order["signal"])
        _tell({"signalled": pid, "at": at, "alive": pid in alive})
        return
    for name in ("stdout", "stderr"):
        Path(order[name]).parent.mkdir(parents=True, exist_ok=True)
    pid = os.fork()
    if pid == 0:
        become(order)
    alive.add(pid)
    _tell({"started": pid, "at": time.monotonic()})


if __name__ == "__main__":
    serve()
