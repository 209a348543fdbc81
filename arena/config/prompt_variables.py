"""Checks the variables of a file's prompts, and the `vars` of its agents against them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from arena.config.errors import KeyPath, Problem, dotted, nearest
from arena.config.parts import AgentConfig, PromptConfig
from arena.core import UsageError, prompts


def check_variables(
    written: Sequence[PromptConfig],
    agents: Sequence[AgentConfig],
    place_of: Callable[[int], KeyPath],
) -> Iterator[Problem]:
    """A problem for every variable that a prompt uses and nobody gives, and for every one of `vars`
    that its agent's prompt does not use; `place_of` says where an agent stands. Prompts of the
    catalogue are checked where they are found."""
    texts: Mapping[str, str] = {prompt.name: prompt.content for prompt in written}
    for index, prompt in enumerate(written):
        try:
            prompts.check(prompt.content)
        except UsageError as error:
            yield Problem(("prompts", index), str(error))
    for index, agent in enumerate(agents):
        path = (*place_of(index), "vars")
        for message in wrong_vars(agent, texts.get(agent.prompt)):
            yield Problem(path, f"{dotted(path)}: {message}")


def wrong_vars(agent: AgentConfig, text: str | None) -> Iterator[str]:
    """What is wrong with the `vars` of an agent for the text of its prompt."""
    if text is None:
        return
    used = {
        name.removeprefix(_OWN): line
        for name, line in prompts.used(text).items()
        if name.startswith(_OWN)
    }
    for name, line in used.items():
        if name not in agent.vars:
            yield (
                f"the prompt {agent.prompt!r} uses {{{{{_OWN}{name}}}}} in line {line}, and the "
                f"agent {agent.name!r} has no {name!r}{_near(name, agent.vars)}"
            )
    for name in agent.vars:
        if name not in used:
            yield (
                f"the prompt {agent.prompt!r} does not use {name!r}, as {{{{{_OWN}{name}}}}}"
                f"{_near(name, used)}"
            )


_OWN = f"{prompts.VARS}."


def _near(name: str, known: Mapping[str, object]) -> str:
    hint = nearest(name, known)
    return hint if "did you mean" in hint else ""
