"""Changes a row of the catalogue by hand, by the rule of `arena.orchestrator.versions`: what has
never played is changed, and of what has there is another version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from shlex import quote
from typing import Any

from arena.core import ModelSpec, UsageError
from arena.orchestrator.specs import key_of, model_columns, model_spec
from arena.orchestrator.versions import LONGEST_NAME, same_model
from db import Repository
from db.queries.uses import CatalogueUses, UsedNoun, catalogue_uses
from db.versions import versioned


@dataclass(frozen=True, slots=True)
class CatalogueEdit:
    """What became of a change: the row is called `label`; `version` says that it is another one,
    because the row that was to be changed has played."""

    label: str
    version: bool = False


def edit_model(repo: Repository, model_id: int, spec: ModelSpec) -> CatalogueEdit:
    """Make a model what `spec` says, whatever it is called there. Raises UsageError where that is
    another version of it already, and while it is played."""
    row = repo.get_model_by_id(model_id)
    assert row is not None
    stored = model_spec(row)
    spec = replace(spec, name=row.name)
    _check_changed("model", row.name, stored == spec)
    if not same_model(stored, spec):
        for other in repo.get_model_versions(versioned(row.name).name):
            if other.id != row.id and same_model(model_spec(other), spec):
                raise UsageError(f"that is {other.name!r} already, another version of {row.name!r}")
        if _has_played(repo, "model", model_id, row.name):
            label = _label(row.name, repo.next_model_version(versioned(row.name).name))
            columns: dict[str, Any] = model_columns(spec)
            return CatalogueEdit(repo.create_model(label, **columns).name, version=True)
    return CatalogueEdit(repo.edit_model(model_id, **model_columns(spec)).name)


def edit_prompt(repo: Repository, prompt_id: int, content: str) -> CatalogueEdit:
    """Give a prompt another text. Raises UsageError where that is another version of it already,
    and while it is played."""
    row = repo.get_prompt_by_id(prompt_id)
    assert row is not None
    _check_changed("prompt", row.name, row.content == content)
    base = versioned(row.name).name
    for other in repo.get_prompt_versions(base):
        if other.content == content:
            raise UsageError(f"that is {other.name!r} already, another version of {row.name!r}")
    if _has_played(repo, "prompt", prompt_id, row.name):
        label = _label(row.name, repo.next_prompt_version(base))
        return CatalogueEdit(repo.fork_prompt(prompt_id, label, content).name, version=True)
    return CatalogueEdit(repo.replace_prompt(prompt_id, row.name, content, row.forked_from).name)


def edit_agent(
    repo: Repository, agent_id: int, parts: tuple[int, int, int], options: Mapping[str, Any]
) -> CatalogueEdit:
    """Make an agent of a kind, a model and a prompt, by their numbers. Raises UsageError where an
    agent is made of them already, and while it is played."""
    row = repo.get_agent_by_id(agent_id, with_relations=True)
    assert row is not None
    twin = repo.get_agent_by_config(*parts, options=options)
    _check_changed("agent", row.label, twin is not None and twin.id == row.id)
    if twin is not None:
        raise UsageError(f"that is the agent {twin.label!r} already: change another part as well")
    if _has_played(repo, "agent", agent_id, row.label):
        if row.alias is None:
            raise UsageError(
                f"{row.label!r} has played and has no name of its own, under which another version "
                "could be known: `arena agents fork` makes an agent like it"
            )
        label = _label(row.label, repo.next_agent_version(versioned(row.alias).name))
        made = repo.create_agent(*parts, alias=label, class_=row.class_, options=options)
        return CatalogueEdit(made.label, version=True)
    return CatalogueEdit(repo.edit_agent(agent_id, *parts, row.alias, options=options).label)


def rename(repo: Repository, noun: UsedNoun, key: int, name: str) -> None:
    """Give a row another name. Raises UsageError for one that a tournament knows by its name, and
    for the name of a version."""
    uses = catalogue_uses(repo.session, noun, key)
    if uses.tournaments or uses.running:
        raise UsageError(
            f"the {noun} is known by its name in {_listed(uses.tournaments or uses.running)}, and "
            "names on record stay: fork it, or add one of the new name"
        )
    if versioned(name).version > 1:
        raise UsageError(
            f"{name!r} is the name of a version, and versions are numbered by the arena: expected "
            "a name without @ and a number"
        )
    if len(name) > LONGEST_NAME:
        raise UsageError(f"expected a name of at most {LONGEST_NAME} characters, found {len(name)}")
    if noun == "model":
        repo.edit_model(key, name=name)
    elif noun == "prompt":
        prompt = repo.get_prompt_by_id(key)
        assert prompt is not None
        repo.replace_prompt(key, name, prompt.content, prompt.forked_from)
    else:
        row = repo.get_agent_by_id(key, with_relations=True)
        assert row is not None
        parts = (key_of(row.kind), key_of(row.model), key_of(row.prompt))
        repo.edit_agent(key, *parts, name, options=row.options)


def deletable(repo: Repository, noun: UsedNoun, key: int) -> CatalogueUses:
    """What a row is used by, which is nothing. Raises UsageError that lists the uses where there
    are any, each with what deletes it."""
    uses = catalogue_uses(repo.session, noun, key)
    if uses.agents:
        raise UsageError(
            f"the agent{'s' if len(uses.agents) > 1 else ''} {_listed(uses.agents)} "
            f"{'are' if len(uses.agents) > 1 else 'is'} made of this {noun}: delete "
            f"{'them' if len(uses.agents) > 1 else 'it'} first (`arena agents delete "
            f"{quote(uses.agents[0])}`)"
        )
    if uses.forks:
        raise UsageError(
            f"{_listed(uses.forks)} {'were' if len(uses.forks) > 1 else 'was'} forked from it: "
            f"delete that first (`arena prompts delete {quote(uses.forks[0])}`)"
        )
    if uses.games:
        where = f" in {_listed(uses.tournaments)}" if uses.tournaments else ""
        first = (
            f" (`arena tournaments delete {quote(uses.tournaments[0])}`)"
            if uses.tournaments
            else ""
        )
        raise UsageError(
            f"this {noun} has a seat in {uses.games:,} game{'s' if uses.games > 1 else ''}{where}: "
            f"what was played stays with who played it; delete the games first{first}, or "
            "deactivate it"
        )
    return uses


def _has_played(repo: Repository, noun: UsedNoun, key: int, name: str) -> bool:
    """Whether a row may not be changed. Raises UsageError while it is played and has not yet."""
    uses = catalogue_uses(repo.session, noun, key)
    if uses.running and not uses.played:
        raise UsageError(
            f"the {noun} {name!r} is played now, in {_listed(uses.running)}: stop that run first"
        )
    return uses.played


def _check_changed(noun: str, name: str, same: bool) -> None:
    if same:
        raise UsageError(f"the {noun} {name!r} is so already: say what to change")


def _label(name: str, label: str) -> str:
    if len(label) > LONGEST_NAME:
        raise UsageError(
            f"{name!r} has played, and the name of its next version would be longer than "
            f"{LONGEST_NAME} characters: add one of a shorter name"
        )
    return label


def _listed(names: Any, most: int = 5) -> str:
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
