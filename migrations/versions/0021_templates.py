"""Templates of agents and of tournaments, and what was made from them.

Revision ID: 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | None = None
depends_on: str | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _template("agent_templates", "personality", "model", "tools")
    _template("tournament_templates", "config", "roles", "event_flow")
    op.create_table(
        "agent_template_uses",
        sa.Column("template_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("agent_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("used_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("template_id", "agent_id", name="pk_agent_template_uses"),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["agent_templates.id"],
            name="fk_agent_template_uses_template_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name="fk_agent_template_uses_agent_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_agent_template_uses_agent_id", "agent_template_uses", ["agent_id"])
    op.create_table(
        "tournament_template_uses",
        sa.Column("tournament_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("template_id", sa.Integer, nullable=False),
        sa.Column("used_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tournament_id", name="pk_tournament_template_uses"),
        sa.ForeignKeyConstraint(
            ["tournament_id"],
            ["tournaments.id"],
            name="fk_tournament_template_uses_tournament_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["tournament_templates.id"],
            name="fk_tournament_template_uses_template_id",
            ondelete="RESTRICT",
        ),
    )
    op.create_index(
        "ix_tournament_template_uses_template_id", "tournament_template_uses", ["template_id"]
    )


def _template(name: str, *sections: str) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.Text, nullable=True),
        *(sa.Column(section, JSON, nullable=False) for section in sections),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.UniqueConstraint("name", name=f"uq_{name}_name"),
        sa.CheckConstraint("name <> ''", name=f"ck_{name}_name"),
    )


def downgrade() -> None:
    for name in (
        "tournament_template_uses",
        "agent_template_uses",
        "tournament_templates",
        "agent_templates",
    ):
        op.drop_table(name)
