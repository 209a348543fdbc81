"""Models in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from db.models import Agent, Model
from db.repository.agents import refreshed
from db.repository.rows import (
    added,
    edited,
    found_or_made,
    next_version,
    plain,
    removed,
    switched,
    version_rows,
)

_NAME: Any = Model.name


class ModelRepository:
    session: Session

    def create_model(
        self,
        name: str,
        litellm_model_name: str,
        active: bool = True,
        *,
        params: Mapping[str, Any] | None = None,
        api_base: str | None = None,
        api_key_env: str | None = None,
        api_key_file: str | None = None,
        stream: bool = False,
        input_price: float | None = None,
        output_price: float | None = None,
        provider: str | None = None,
        system: str | None = None,
    ) -> Model:
        """A new model; prices are dollars per million tokens. Raises DatabaseError for a name
        that is taken."""
        row = Model(
            name=name,
            litellm_model_name=litellm_model_name,
            active=active,
            params=plain(params),
            api_base=api_base,
            api_key_env=api_key_env,
            api_key_file=api_key_file,
            stream=stream,
            input_price=input_price,
            output_price=output_price,
            provider=provider,
            system=system,
        )
        return added(self.session, row, f"the model {name!r}")

    def get_model_by_id(self, model_id: int) -> Model | None:
        return self.session.get(Model, model_id)

    def get_model_by_name(self, name: str) -> Model | None:
        return self.session.exec(select(Model).where(Model.name == name)).first()

    def get_model_versions(self, name: str) -> list[Model]:
        """The versions of a model, the first one first."""
        return version_rows(self.session, Model, _NAME, name)

    def next_model_version(self, name: str) -> str:
        """What the next version of a model is called; a new one has its name."""
        return next_version(self.session, Model, _NAME, name)

    def edit_model(self, model_id: int, **settings: Any) -> Model:
        """Set columns of a model; its agents are known by the changed one. Whether it may be
        changed is for the caller to know. Raises DatabaseError."""
        row = self.session.get_one(Model, model_id)
        edited(self.session, row, f"the model {row.name!r}", **settings)
        refreshed(self.session, Agent.model_id == model_id)
        return row

    def delete_model(self, model_id: int) -> None:
        """Delete a model. Raises DatabaseError for one that an agent is made of."""
        row = self.session.get_one(Model, model_id)
        removed(self.session, row, f"the model {row.name!r}")

    def get_models(self, active: bool | None = None) -> Sequence[Model]:
        """Models by name; with `active`, only those that are, or are not."""
        query = select(Model).order_by(Model.name)
        if active is not None:
            query = query.where(col(Model.active) == active)
        return self.session.exec(query).all()

    def get_active_models(self) -> Sequence[Model]:
        return self.get_models(active=True)

    def get_or_create_model(self, name: str, litellm_model_name: str, **settings: Any) -> Model:
        """The model of this name, made with these settings when there is none."""
        return found_or_made(
            lambda: self.get_model_by_name(name),
            lambda: self.create_model(name, litellm_model_name, **settings),
        )

    def set_model_active(self, model_id: int, active: bool) -> Model | None:
        return switched(self.session, Model, model_id, active)
