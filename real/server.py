"""Serves one model on loopback by llama.cpp, on one thread, until standard input ends.

`python -m real.server smollm2` is the inference server of docs/real-models.md: OpenAI's chat
completions at http://127.0.0.1:8080/v1, and /health, which says 503 while the model loads.
"""

from __future__ import annotations

import argparse
import importlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from real.weights import MODELS, path_of

PORT = 8080
CONTEXT = 16_384  # tokens, shared by the conversations that are open at once
PARALLEL = 2
PATIENCE = 120.0  # seconds until a model must have been loaded


def serve(
    model: str, port: int, *, parallel: int, context: int, prompts: Path | None = None
) -> Any:
    """Start the server and return it; it stops when it is collected. The server itself writes each
    prompt that it gives to the model to a file of the folder `prompts`."""
    weights = path_of(model)
    llama: Any = importlib.import_module("xllamacpp")
    params = llama.CommonParams()
    params.model.path = str(weights)
    params.model_alias = {model}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = context
    params.n_parallel = parallel
    if prompts is not None:
        params.path_prompts_log_dir = str(prompts)
    # Two servers on two cores get in each other's way with more.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    return llama.Server(params)


@contextmanager
def serving(model: str, folder: Path) -> Iterator[str]:
    """The URL of a server of the model in a process of its own, which ends with the block. Its
    messages and its prompts go to `folder`. Raises SystemExit when it does not come up."""
    prompts, messages = folder / f"{model}-prompts", folder / f"{model}.log"
    prompts.mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "real.server", model, "--port", str(port)]
    with messages.open("w") as log:
        process = subprocess.Popen(
            [*command, "--prompts", str(prompts)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, messages)
        yield url
    finally:
        # The end of its input ends it.
        process.communicate(timeout=60)


def _wait(url: str, process: subprocess.Popen[bytes], messages: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"{url} did not come up:\n{messages.read_text(errors='replace')[-2000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m real.server", description=__doc__)
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--parallel", type=int, default=PARALLEL, help="conversations at once")
    parser.add_argument("--context", type=int, default=CONTEXT, help="tokens for all of them")
    parser.add_argument("--prompts", type=Path, help="a folder for the prompts that it is given")
    options = parser.parse_args()
    server = serve(
        options.model,
        options.port,
        parallel=options.parallel,
        context=options.context,
        prompts=options.prompts,
    )
    print(f"{options.model} listens at {server.listening_address}/v1; Ctrl-D stops it", flush=True)
    with suppress(KeyboardInterrupt):
        sys.stdin.read()


if __name__ == "__main__":
    main()
