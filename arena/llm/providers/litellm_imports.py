"""How LiteLLM is imported: its environment as it should be, and no mark left on the process."""

from __future__ import annotations

import gc
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Read by LiteLLM when it is imported: no `.env` file, no price list or anything else from the
# network, and no queue of 100 connections inside it that would count as the provider's latency.
_ENVIRONMENT = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "AIOHTTP_CONNECTOR_LIMIT": "20000",
    "AIOHTTP_CONNECTOR_LIMIT_PER_HOST": "20000",
    "AIOHTTP_KEEPALIVE_TIMEOUT": "75",
}

# What the first request of a sort imports, which would hold the event loop for a tenth of a second.
FIRST_ASKED = (
    "openai.resources",
    "litellm._service_logger",
    "litellm.litellm_core_utils.default_encoding",
    "litellm.llms.github_copilot.per_user_auth",
    "litellm.llms.litellm_proxy.chat.transformation",
    "litellm.llms.openai.chat.gpt_audio_transformation",
    "litellm.llms.vertex_ai.context_caching.vertex_ai_context_caching",
    "litellm.proxy._experimental.mcp_server.stdio_gate",
    "litellm.proxy.openai_files_endpoints.common_utils",
)
# What warns of its own types when it is first asked for a model whose name begins so.
FIRST_OF = {"cohere": ("litellm.llms.cohere.chat.transformation",)}
FIRST_STREAMED = (
    "anyio._backends._asyncio",
    "litellm.types.litellm_core_utils.streaming_chunk_builder_utils",
)


# The environment, the filters of warnings and the collector are those of the whole process.
_ALONE = threading.RLock()


@contextmanager
def importing() -> Iterator[None]:
    """Inside, something of LiteLLM's may be imported, and leaves no mark on the process: it reads
    the environment, adds to it, and filters warnings. One thread is inside at a time."""
    with _ALONE, _unmarked():
        yield


@contextmanager
def _unmarked() -> Iterator[None]:
    before, collecting = dict(os.environ), gc.isenabled()
    os.environ.update({**_ENVIRONMENT, **before})
    gc.disable()  # what an import makes lives on: to look through it takes a sixth of the time
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if collecting:
            gc.enable()
        for name, value in [*os.environ.items()]:
            if name not in before:
                del os.environ[name]
            elif value != before[name]:
                os.environ[name] = before[name]
