"""What keeps games of a run from being played: money that has run out, models that are parked."""

from __future__ import annotations

from arena.core import BudgetReached, ModelParked, ModelUnproven
from arena.orchestrator.run_log import model_parked


class Halts:
    """What a run has met so far. `parked` says by model why its games are not played; `unpaid`
    why none is begun any more, whose budget of all models has run out."""

    def __init__(self) -> None:
        self.parked: dict[str, str] = {}
        self.unpaid: str | None = None
        self._unpaid_model: str | None = None

    @property
    def budget_reached(self) -> bool:
        """Whether more money would let the run play more."""
        return (self.unpaid or self._unpaid_model) is not None

    @property
    def short_model(self) -> str | None:
        """The model whose own budget has run out, as long as that of all has not."""
        return None if self.unpaid else self._unpaid_model

    def short(self, said: str, model: str | None) -> None:
        """The budget, or that of one model, pays no further game."""
        if model is None:
            if self.unpaid is None:
                model_parked(said)
            self.unpaid = self.unpaid or said
        else:
            self._unpaid_model = self._unpaid_model or model
            self._park(model, said)

    def met(self, reason: BudgetReached | ModelParked | ModelUnproven) -> None:
        """A game is paused for this reason."""
        if isinstance(reason, BudgetReached):
            # Without a model: no other game is begun; those that are being played may still fit.
            self.short(str(reason), reason.model)
        else:
            self._park(reason.model, str(reason))

    def _park(self, model: str, said: str) -> None:
        if model not in self.parked:
            self.parked[model] = said
            model_parked(said)

    def reasons(self) -> list[str]:
        """What a person is told of them."""
        return [*self.parked.values(), *([self.unpaid] if self.unpaid else [])]
