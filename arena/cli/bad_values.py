"""Says what is wrong with the value of an option, as what is wrong with a file is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from arena.config.errors import expectation, found, nearest

if TYPE_CHECKING:
    import typer
    from pydantic_core import ErrorDetails


def reword(error: typer.BadParameter) -> None:
    """Give the error our sentence in the place of pydantic's, where it has one of those."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        error.message = _sentence(cause.errors(include_url=False)[0])


def _sentence(detail: ErrorDetails) -> str:
    # typer tells the choices of an option in nothing but its message.
    _, choice, choices = detail["msg"].rpartition(" is not one of ")
    if not choice:
        return expectation(detail)
    known = re.findall(r"'([^']*)'", choices)
    return f"unknown value {found(detail['input'])}{nearest(str(detail['input']), known)}"
