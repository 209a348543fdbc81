"""How a file says where a key is: an environment variable, or a file by its whole path."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field


def _variable(value: str) -> str:
    if not value.replace("_", "a").isalnum() or not value.isascii() or value[0].isdigit():
        raise ValueError("expected the name of an environment variable, such as OPENAI_API_KEY")
    return value


def _whole_path(value: str) -> str:
    if not value.startswith("/") or not value.isprintable() or ".." in value.split("/"):
        raise ValueError("expected the whole path of a file, such as /run/secrets/openai")
    return value


KeyVariable = Annotated[str, Field(min_length=1), AfterValidator(_variable)]
KeyFile = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_whole_path)]
