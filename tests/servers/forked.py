"""The command `arena` for a shell, forked from a process that has imported everything already.

    with forked_commands(folder):
        ...  # folder/arena is the command; what a shell types there is a process of its own

It takes the arguments, the working folder, the environment and the outputs of whoever types it, and
ends with the same exit code. Standard input is empty.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from torture.zygote import become, warm

CLIENT = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    order = {{"arguments": sys.argv[1:], "cwd": os.getcwd(), "env": dict(os.environ)}}
    socket.send_fds(server, [b"!"], [1, 2])
    server.sendall(json.dumps(order).encode() + b"\\n")
    sys.exit(int(server.makefile().read()))
"""


@contextmanager
def forked_commands(folder: Path) -> Iterator[None]:
    """Puts `arena` into the folder, for the length of the block."""
    # The path of a socket may have some hundred characters.
    with TemporaryDirectory(prefix="arena-") as short:
        address = f"{short}/socket"
        with subprocess.Popen(
            [sys.executable, "-m", "tests.servers.forked", address],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            client = Path(short, "client.py")
            client.write_text(CLIENT.format(address=address))
            command = folder / "arena"
            command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS {client} "$@"\n')
            command.chmod(0o755)
            # It ends when its input does, which is at the end of this block.
            yield


def serve(address: str) -> None:
    """Answers until standard input ends."""
    warm()
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as ready:
        listener.bind(address)
        listener.listen()
        ready.register(0, selectors.EVENT_READ)
        ready.register(listener, selectors.EVENT_READ)
        print("ready", flush=True)
        while listener in (key.fileobj for key, _ in ready.select()):
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    os._exit(_answer(connection))
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _answer(connection: socket.socket) -> int:
    """In a child: have a child of its own run the command, and tell how that one ended."""
    _, outputs, _, _ = socket.recv_fds(connection, 1, 2)
    order = json.loads(connection.makefile().readline())
    stdout, stderr = (f"/dev/fd/{number}" for number in outputs)
    pid = os.fork()
    if pid == 0:
        os.environ.clear()
        become({**order, "stdout": stdout, "stderr": stderr})
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    connection.sendall(str(code if code >= 0 else 128 - code).encode())
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])
