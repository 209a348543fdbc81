"""What prompts that say the same make of otherwise equal agents: the noise floor of a board."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from arena.core.null_variants import meaning
from arena.stats.noise_floor import noise_floor
from db import Session
from db.queries.agents import prompt_texts, prompted

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class PromptNoise:
    """Two whose prompts say the same differ by less than `width` in rating, 95 % of the time.
    `variants` are the numbers of null variants by the name of that which they are variants of."""

    width: float
    variants: Mapping[str, int]

    @property
    def sentence(self) -> str:
        """For people: the number, and what it is of."""
        said = ", ".join(
            f"{number} null variant{'s' if number > 1 else ''} of {name}"
            for name, number in self.variants.items()
        )
        return f"noise floor ±{self.width:.2f} from {said}"


def null_agents(session: Session, agents: Sequence[int]) -> list[tuple[int, ...]]:
    """Those of the agents that are the same kind, model and options with prompts that say the
    same: groups of two and more, in order of agent_id."""
    wanted = {*agents}
    rows = [row for row in prompted(session) if row.agent_id in wanted]
    times = Counter((row.kind_id, row.model_id, row.options_hash) for row in rows)
    rows = [row for row in rows if times[row.kind_id, row.model_id, row.options_hash] > 1]
    texts = prompt_texts(session, {row.prompt_id for row in rows})
    said = {prompt: meaning(text) for prompt, text in texts.items()}
    return _alike(
        (row.agent_id, (row.kind_id, row.model_id, row.options_hash, said[row.prompt_id]))
        for row in sorted(rows, key=lambda row: row.agent_id)
    )


def null_prompts(session: Session, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Those of the prompts that say the same: groups of two and more, in order of their making."""
    wanted = {*names}
    rows = {row.prompt_id: row.prompt for row in prompted(session) if row.prompt in wanted}
    texts = prompt_texts(session, rows)
    return _alike((rows[prompt], meaning(texts[prompt])) for prompt in sorted(rows))


def prompt_noise(
    groups: Sequence[Sequence[Key]], ratings: Mapping[Key, float], names: Mapping[Key, str]
) -> PromptNoise | None:
    """Of groups of null variants, the first of each being that which the others are variants of;
    None where no two of a group have ratings."""
    rated = [[key for key in group if key in ratings] for group in groups]
    rated = [group for group in rated if len(group) > 1]
    floor = noise_floor([[ratings[key] for key in group] for group in rated])
    if floor is None:
        return None
    return PromptNoise(floor.width, {names[group[0]]: len(group) - 1 for group in rated})


def _alike(entries: Iterable[tuple[Key, Hashable]]) -> list[tuple[Key, ...]]:
    groups: dict[Hashable, list[Key]] = {}
    for key, what in entries:
        groups.setdefault(what, []).append(key)
    return [tuple(group) for group in groups.values() if len(group) > 1]
