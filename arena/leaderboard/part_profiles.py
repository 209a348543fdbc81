"""What models and prompts did in the games of their agents, read as `arena.leaderboard.profiles`
reads an agent's."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from arena.core.prompts import used
from arena.leaderboard.places import (
    ListedAgent,
    StoredPlaces,
    listed_agents,
    part_places,
    stored_places,
)
from arena.leaderboard.query import LeaderboardQuery
from arena.reports.agent_samples import SampledRecord, sampled_record
from arena.reports.failures import FailedKind, failed_of
from arena.reports.usage import PartUsage, part_usage
from arena.reports.word_diff import DiffPiece, word_diff
from db import Model, Repository, Session
from db.queries.agents import catalogue_agents, prompt_texts
from db.queries.counters import behind, counter_sums, model_sums
from db.queries.prompts import PromptFork, prompt_tree
from db.queries.steps import rated_spans
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What a model's agents used and what games that stand for theirs say; see AgentProfile."""

    board: StoredPlaces
    usage: PartUsage | None
    sample: SampledRecord
    failures: tuple[FailedKind, ...]
    uncounted: tuple[str, ...]


def model_profile(session: Session, model_id: int, name: str) -> ModelProfile:
    """The profile of a model by its number and name."""
    agents = [agent.agent_id for agent in catalogue_agents(session, Selection(model=model_id))]
    usage = part_usage(counter_sums(session, agents).values())
    uncounted = behind(session)
    return ModelProfile(
        board=part_places(session, "model", name),
        usage=usage,
        sample=sampled_record(session, agents, rated_spans(session, agents), talk=False),
        failures=failed_of(session, usage, Selection(model=model_id), uncounted),
        uncounted=tuple(uncounted),
    )


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model of the catalogue with what its `agents` used, None where they have no games."""

    model: Model
    agents: int
    usage: PartUsage | None


def listed_models(session: Session) -> tuple[list[ListedModel], StoredPlaces]:
    """Every model, and where the models stand by what they add to an agent."""
    made = Counter(agent.model_id for agent in catalogue_agents(session))
    counts = model_sums(session)
    found = [
        ListedModel(
            model,
            made[key := model.id or 0],
            part_usage([counts[key]] if key in counts else []),
        )
        for model in Repository(session).get_models()
    ]
    return found, stored_places(session, LeaderboardQuery(by="model"), lambda row: True)


@dataclass(frozen=True, slots=True)
class PromptProfile:
    """A prompt of the tree with its text. `line` are those it came from, the first one first, and
    `forks` those that were made of it; `difference` is what makes its text of its parent's, () of
    one without a parent. `variables` are those that the text uses."""

    own: PromptFork
    content: str
    board: StoredPlaces
    line: tuple[PromptFork, ...]
    forks: tuple[PromptFork, ...]
    difference: tuple[DiffPiece, ...]
    variables: tuple[str, ...]
    agents: tuple[ListedAgent, ...]


def prompt_profile(session: Session, prompt_id: int) -> PromptProfile:
    """The profile of a prompt by its number."""
    tree = {fork.prompt_id: fork for fork in prompt_tree(session)}
    own = tree[prompt_id]
    line: list[PromptFork] = []
    above = own.parent_id
    while above is not None:
        line.append(tree[above])
        above = tree[above].parent_id
    texts = prompt_texts(session, [prompt_id, *(fork.prompt_id for fork in line[:1])])
    content = texts[prompt_id]
    return PromptProfile(
        own=own,
        content=content,
        board=part_places(session, "prompt", own.name),
        line=tuple(line[::-1]),
        forks=tuple(fork for fork in tree.values() if fork.parent_id == prompt_id),
        difference=tuple(word_diff(texts[line[0].prompt_id], content)) if line else (),
        variables=tuple(used(content)),
        agents=tuple(listed_agents(session, Selection(prompt=prompt_id))[0]),
    )
