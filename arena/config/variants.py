"""Writes the null variants of an agent out: agents whose prompts say what its own says.

`null_variants: 3` of the agent Sharp with the prompt plain adds the agents Sharp~1 to Sharp~3 with
the prompts plain~1 to plain~3, forks of plain, right behind it. From then on they are agents and
prompts like any others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.config.errors import KeyPath, Problem, WrittenAt
from arena.config.parts import AgentConfig, PromptConfig
from arena.core.null_variants import null_variants

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """The prompts and agents of a file with those that it adds; `lines` are the file's, for the
    places that they have now. Whatever is wrong with an added agent is wrong with its own."""

    prompts: tuple[PromptConfig, ...]
    agents: tuple[AgentConfig, ...]
    lines: dict[KeyPath, WrittenAt]
    problems: Sequence[Problem] = ()


def written_out(
    prompts: Sequence[PromptConfig],
    agents: Sequence[AgentConfig],
    lines: Mapping[KeyPath, WrittenAt],
) -> WrittenOut:
    """With the texts of the prompts, wherever they were written."""
    texts = {prompt.name: prompt.content for prompt in prompts}
    added: dict[str, PromptConfig] = {}
    entered: list[tuple[int, AgentConfig]] = []
    problems = []
    for index, agent in enumerate(agents):
        number = agent.null_variants
        entered.append((index, agent.model_copy(update={"null_variants": 0})))
        if not number:
            continue
        found = null_variants(texts.get(agent.prompt, ""), number)
        names, mine = variants_of(agent.prompt, number), variants_of(agent.name, number)
        if wrong := _wrong(agent, found, texts, {*names}, {*mine}, {a.name for a in agents}):
            path = ("agents", index, "null_variants")
            problems.append(Problem(path, f"agents[{index}].null_variants: {wrong}"))
            continue
        for name, text in zip(names, found, strict=True):
            added[name] = PromptConfig(name=name, text=text, forked_from=agent.prompt)
        for name, prompt in zip(mine, names, strict=True):
            more = {"name": name, "prompt": prompt, "null_variants": 0}
            entered.append((index, agent.model_copy(update=more)))
    return WrittenOut(
        (*prompts, *added.values()),
        tuple(agent for _, agent in entered),
        _moved(lines, [index for index, _ in entered]),
        problems,
    )


def variants_of(name: str, number: int) -> list[str]:
    """What the null variants of an agent or a prompt are called."""
    return [f"{name}~{place}" for place in range(1, number + 1)]


def _wrong(
    agent: AgentConfig,
    found: Sequence[str],
    texts: Mapping[str, str],
    prompts: set[str],
    names: set[str],
    taken: set[str],
) -> str | None:
    if agent.prompt not in texts:
        return (
            f"expected the text of the prompt {agent.prompt!r} in this file, which names one of "
            f"the catalogue: write it here, `arena prompts show {agent.prompt}` has it"
        )
    if len(found) < agent.null_variants:
        return f"the prompt {agent.prompt!r} can be put in {len(found)} other ways only"
    if clash := sorted({*prompts} & {*texts}) + sorted({*names} & taken):
        return f"{clash[0]!r} is a name in this file already, and that of a variant"
    if longest := [name for name in (*prompts, *names) if len(name) > _LONGEST_NAME]:
        return f"the name {longest[0]!r} of a variant is longer than {_LONGEST_NAME} characters"
    return None


def _moved(lines: Mapping[KeyPath, WrittenAt], origins: Sequence[int]) -> dict[KeyPath, WrittenAt]:
    """The lines by new places; `origins` are the agents' places in the file."""
    own: dict[KeyPath, dict[KeyPath, WrittenAt]] = {}
    moved = {}
    for path, line in lines.items():
        if len(path) > 1 and path[0] == "agents":
            own.setdefault(path[1:2], {})[path[2:]] = line
        else:
            moved[path] = line
    for place, origin in enumerate(origins):
        for rest, line in own.get((origin,), {}).items():
            moved["agents", place, *rest] = line
    return moved
