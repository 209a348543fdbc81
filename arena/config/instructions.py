"""Instructions of an agent in parts: what it is for, its tone, what it can do, what it knows. They
become the text of a prompt when a file is read, by a template of Jinja2's that can do nothing else.

What a game fills in stays in the text as `{{role}}`: a template says `{{ role }}` and knows only
the names. A change of any part makes another text, and so another version of the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from arena.core import UsageError, prompts

if TYPE_CHECKING:
    from jinja2 import nodes

_LONGEST_TEMPLATE = 20_000
_LONGEST_TEXT = 1024 * 1024
_MOST = 100
_DEEPEST = 2  # loops

TEMPLATE = """\
{{ purpose }}
{% if tone %}

# Tone

{{ tone }}
{% endif %}
{% if capabilities %}

# What you can do

{% for each in capabilities %}
- {{ each }}
{% endfor %}
{% endif %}
{% for each in knowledge %}

# {{ each.title }}

{{ each.text | quoted }}
{% endfor %}
"""
"""How instructions are put where they bring no template of their own."""

_NODES = frozenset(
    {
        "And", "Compare", "CondExpr", "Const", "Filter", "For", "Getattr", "If", "Name", "Not",
        "Operand", "Or", "Output", "Template", "TemplateData",
    }
)  # fmt: skip
_FILTERS = ("first", "join", "last", "length", "lower", "quoted", "trim", "upper")


class InstructionsPart(BaseModel):
    """What every part of instructions is: frozen, and exactly as it was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class KnowledgeConfig(InstructionsPart):
    """A document that the agent is told of, as a quotation."""

    title: str = Field(min_length=1, max_length=200, description="What it is.")
    text: str = Field(min_length=1, description="What it says, quoted line by line.")
    priority: int = Field(default=0, description="Those with the highest come first.")


class InstructionsConfig(InstructionsPart):
    """The parts of a prompt."""

    purpose: str = Field(min_length=1, description="What the agent is for.")
    tone: str = Field(default="", description="How it speaks.")
    capabilities: tuple[str, ...] = Field(
        default=(), max_length=_MOST, strict=False, description="What it can do, a line each."
    )
    knowledge: tuple[KnowledgeConfig, ...] = Field(
        default=(), max_length=_MOST, strict=False, description="Documents that it knows."
    )
    template: str = Field(
        default=TEMPLATE,
        min_length=1,
        max_length=_LONGEST_TEMPLATE,
        description="How the parts are put, as a template of Jinja2's.",
    )

    _text: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _rendered(self) -> Self:
        try:
            self._text = self._put()
        except UsageError as error:
            raise ValueError(str(error)) from error
        return self

    def text(self) -> str:
        """The text of the prompt."""
        return self._text

    def _put(self) -> str:
        """The text of the prompt. Raises UsageError for a template that does anything else than put
        the parts and the variables of prompts."""
        ranked = sorted(self.knowledge, key=lambda each: -each.priority)
        parts = self.model_dump(exclude={"template", "knowledge"})
        return rendered(
            self.template, {**parts, "knowledge": [each.model_dump() for each in ranked]}
        )


def rendered(template: str, parts: Mapping[str, Any]) -> str:
    """A template with its parts, which are plain texts, lists and mappings. Raises UsageError."""
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    made.filters["quoted"] = _quoted
    try:
        tree = made.parse(template)
        _check(tree)
        said = {name: f"{{{{{name}}}}}" for name in prompts.VARIABLES if "." not in name}
        pieces, size = [], 0
        for piece in made.from_string(template).generate(**said, vars=_own(tree), **parts):
            size += len(piece)
            if size > _LONGEST_TEXT:
                raise UsageError(
                    f"the template makes a prompt of more than {_LONGEST_TEXT:,} characters"
                )
            pieces.append(piece)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = "" if line is None else f" in line {line}"
        raise UsageError(f"the template cannot be filled in{where}: {error.message}") from error
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise UsageError(f"the template cannot be filled in: {error}") from error
    return re.sub(r"\n{3,}", "\n\n", "".join(pieces)).strip("\n")


def _check(tree: nodes.Template) -> None:
    """Raises UsageError for anything but texts, names, `if`, `for` and a few filters."""
    from jinja2 import nodes

    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, loops = waiting.pop()
        name, line = type(node).__name__, getattr(node, "lineno", 0)
        if name not in _NODES:
            raise UsageError(
                f"the template holds {name} in line {line}; expected texts, names, `if`, `for` and "
                "filters alone"
            )
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            raise UsageError(
                f"the template uses the filter {node.name!r} in line {line}; known: "
                f"{', '.join(_FILTERS)}"
            )
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise UsageError(f"the template asks for {node.attr!r} in line {line}")
        loops += isinstance(node, nodes.For)
        if loops > _DEEPEST:
            raise UsageError(
                f"the template has more than {_DEEPEST} loops in each other in line {line}"
            )
        waiting += [(inner, loops) for inner in node.iter_child_nodes()]


def _own(tree: nodes.Template) -> dict[str, str]:
    """The `vars` of an agent that a template names, as they stand in a prompt."""
    from jinja2 import nodes

    return {
        found.attr: f"{{{{{prompts.VARS}.{found.attr}}}}}"
        for found in tree.find_all(nodes.Getattr)
        if isinstance(found.node, nodes.Name) and found.node.name == prompts.VARS
    }


def _printed(value: object) -> object:
    from jinja2 import Undefined

    if isinstance(value, str | int | float | Undefined):
        # What is not defined raises when it is printed, by its own name.
        return value
    # Of anything else Python's own name for it would be printed, with an address of this process.
    raise ValueError(f"expected a text or a number, found {type(value).__name__}")


def _quoted(text: str) -> str:
    """A document as a quotation: it can neither end it nor have anything filled in."""
    lines = str(text).replace("{{", "{ {").strip().splitlines() or [""]
    return "\n".join(f"> {line}".rstrip() for line in lines)
