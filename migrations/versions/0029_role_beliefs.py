"""The kind of event by which players say what they believe of each other's roles.

Revision ID: 0029
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels: str | None = None
depends_on: str | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)

NAME = "role_belief"
DESCRIPTION = (
    "How likely a player holds its target to have each role, from 0 to 1, by what it says that it "
    "believes."
)
SCHEMA = {
    "type": "object",
    "properties": {"roles": {"type": "object", "additionalProperties": {"type": "number"}}},
    "required": ["roles"],
    "additionalProperties": False,
}
TYPES = sa.table(
    "event_types",
    sa.column("id", sa.Integer),
    sa.column("name", sa.Text),
    sa.column("description", sa.Text),
    sa.column("schema", JSON),
    sa.column("created_at", TIME),
)
EVENTS = sa.table("game_events", sa.column("kind", sa.Integer))


def upgrade() -> None:
    connection = op.get_bind()
    # An environment of somebody's may have told a kind of this name: it is the arena's from now on.
    known = connection.execute(sa.select(TYPES.c.id).where(TYPES.c.name == NAME)).scalar()
    said = {"description": DESCRIPTION, "schema": SCHEMA}
    if known is None:
        row = {"name": NAME, **said, "created_at": datetime.now(UTC)}
        connection.execute(TYPES.insert().values(row))
    else:
        connection.execute(TYPES.update().where(TYPES.c.id == known).values(said))


def downgrade() -> None:
    connection = op.get_bind()
    own = sa.select(TYPES.c.id).where(TYPES.c.name == NAME).scalar_subquery()
    # Events are a projection: `arena events rebuild` tells them anew.
    connection.execute(EVENTS.delete().where(EVENTS.c.kind == own))
    connection.execute(TYPES.delete().where(TYPES.c.name == NAME))
