"""The part that a package brings to the page of its environment's games: a template of its own,
drawn from what these eyes saw of the game, and as harmless as ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from arena import registry
from arena.core import ArenaError
from arena.viewer.seen import SeenGame
from arena.viewer.texts import dollars, folded, harmless, percent, seconds

_LARGEST = 200_000  # characters
_FORBIDDEN = re.compile(
    r"<\s*/?\s*(script|style|link|meta|base|iframe|frame|object|embed|form|input|button|img|use)\b"
    r"|\s(on[a-z]+|style|src|srcset|href|action)\s*=",
    re.IGNORECASE,
)


def plugin_part(game: SeenGame) -> tuple[Markup | None, str | None]:
    """(what the template draws, why it could not be drawn); neither where no package brings one.

    The template is what the function returns that is registered in the group `arena.pages` under
    the environment's name, or under the beginning of many names and `*`. It has `game`, a SeenGame,
    and cannot see more. What it prints is escaped; it holds no script, style, form, picture or
    address.
    """
    name = game.environment
    if name is None or not registry.has("pages", name):
        return None, None
    try:
        found = registry.load("pages", name)
        with registry.guarded("pages", name, "its template was asked for"):
            drawn = _drawn(_text(found), game)
    except ArenaError as error:
        return None, str(error)
    return drawn, None


def _text(found: Callable[[], Any]) -> str:
    text = found()
    if not isinstance(text, str):
        raise TypeError(f"it returned {type(text).__name__}, not the text of a template")
    if (forbidden := _FORBIDDEN.search(text)) is not None:
        raise ValueError(f"a template may not hold {forbidden[0].strip()!r}")
    return text


def _drawn(text: str, game: SeenGame) -> Markup:
    made = ImmutableSandboxedEnvironment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # What would make markup of a text.
    for name in ("safe", "xmlattr", "urlize", "tojson"):
        made.filters.pop(name)
    made.filters.update(dollars=dollars, folded=folded, percent=percent, seconds=seconds)
    tree = made.parse(text)
    for kind in (nodes.ScopedEvalContextModifier, nodes.EvalContextModifier):
        if tree.find(kind) is not None:
            raise TemplateError("a template may not turn escaping off")
    # An attribute that a text ends, as in `class={{ name }}`, would let the text begin another.
    if re.search(r"=\s*\{[{%]", text):
        raise TemplateError('a value of an attribute is quoted: class="{{ name }}"')
    drawn = made.from_string(text).render(game=game)
    if len(drawn) > _LARGEST:
        raise ValueError(f"the template drew {len(drawn):,} characters: {_LARGEST:,} at most")
    return Markup(drawn)  # noqa: S704 - what the template holds was checked, what it prints escaped
