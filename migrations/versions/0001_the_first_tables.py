"""The first tables: catalogue, tournaments, games, turns and calls, ratings.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

# Only "INTEGER PRIMARY KEY" is a table"s own key on SQLite.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# A key that is not the table's own keeps rows in the order in which they are written: a commit of
# a hundred games then touches a few pages at the end, not some of every game.
KEY = sa.BigInteger()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)

TABLES = (
    "models",
    "kinds",
    "prompts",
    "agents",
    "environments",
    "tournaments",
    "games",
    "game_players",
    "game_turns",
    "turn_payloads",
    "llm_calls",
    "call_payloads",
    "rating_pools",
    "agent_trueskill",
    "rating_changes",
)

PROMPT_TRIGGER_SQLITE = """
CREATE TRIGGER prompts_immutable BEFORE UPDATE ON prompts
WHEN old.id IS NOT new.id OR old.name IS NOT new.name OR old.content IS NOT new.content
  OR old.content_hash IS NOT new.content_hash OR old.forked_from IS NOT new.forked_from
  OR old.created_at IS NOT new.created_at
BEGIN
  SELECT RAISE(ABORT, 'a prompt is immutable: fork it, and use the fork');
END
"""

PROMPT_FUNCTION_POSTGRESQL = """
CREATE FUNCTION refuse_prompt_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (old.id, old.name, old.content, old.content_hash, old.forked_from, old.created_at)
     IS DISTINCT FROM
     (new.id, new.name, new.content, new.content_hash, new.forked_from, new.created_at)
  THEN
    RAISE EXCEPTION 'a prompt is immutable: fork it, and use the fork'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN new;
END $$
"""

PROMPT_TRIGGER_POSTGRESQL = """
CREATE TRIGGER prompts_immutable BEFORE UPDATE ON prompts
FOR EACH ROW EXECUTE FUNCTION refuse_prompt_change()
"""

# Their bytes are compressed before they are stored: a second try would only cost time.
COMPRESSED = (
    ("turn_payloads", "body"),
    ("call_payloads", "messages"),
    ("call_payloads", "response"),
)


def only(condition: str) -> dict[str, sa.TextClause]:
    """The condition of a partial index, for both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def refers(name: str, column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    """A foreign key and what happens when its target is deleted."""
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete=ondelete)


def upgrade() -> None:
    create_catalogue()
    create_tournaments()
    create_games()
    create_turns_and_calls()
    create_ratings()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(PROMPT_TRIGGER_SQLITE)
        return
    op.execute(PROMPT_FUNCTION_POSTGRESQL)
    op.execute(PROMPT_TRIGGER_POSTGRESQL)
    for table, column in COMPRESSED:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_prompt_change()")


def create_catalogue() -> None:
    op.create_table(
        "models",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("litellm_model_name", sa.Text, nullable=False),
        sa.Column("params", JSON, nullable=False),
        sa.Column("api_base", sa.Text, nullable=True),
        sa.Column("api_key_env", sa.Text, nullable=True),
        sa.Column("stream", sa.Boolean, nullable=False),
        sa.Column("input_price", sa.Float, nullable=True),
        sa.Column("output_price", sa.Float, nullable=True),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("input_price >= 0", name="ck_models_input_price"),
        sa.CheckConstraint("output_price >= 0", name="ck_models_output_price"),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("name", name="uq_models_name"),
    )
    op.create_table(
        "kinds",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("version >= 1", name="ck_kinds_version"),
        sa.PrimaryKeyConstraint("id", name="pk_kinds"),
        sa.UniqueConstraint("name", "version", name="uq_kinds_name_version"),
    )
    op.create_table(
        "prompts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("forked_from", sa.Integer, nullable=True),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        refers("fk_prompts_forked_from", "forked_from", "prompts.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_prompts"),
        sa.UniqueConstraint("name", name="uq_prompts_name"),
    )
    op.create_index("ix_prompts_forked_from", "prompts", ["forked_from"])
    op.create_table(
        "agents",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind_id", sa.Integer, nullable=False),
        sa.Column("model_id", sa.Integer, nullable=False),
        sa.Column("prompt_id", sa.Integer, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("options_hash", sa.Text, nullable=False),
        sa.Column("alias", sa.Text, nullable=True),
        sa.Column("class", sa.Text, nullable=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        refers("fk_agents_kind_id", "kind_id", "kinds.id", "RESTRICT"),
        refers("fk_agents_model_id", "model_id", "models.id", "RESTRICT"),
        refers("fk_agents_prompt_id", "prompt_id", "prompts.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
        sa.UniqueConstraint("alias", name="uq_agents_alias"),
        sa.UniqueConstraint(
            "kind_id", "model_id", "prompt_id", "options_hash", name="uq_agents_configuration"
        ),
    )
    op.create_index("ix_agents_fingerprint", "agents", ["fingerprint"])
    op.create_index("ix_agents_model_id", "agents", ["model_id"])
    op.create_index("ix_agents_prompt_id", "agents", ["prompt_id"])


def create_tournaments() -> None:
    op.create_table(
        "environments",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("num_players", sa.Integer, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("package", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("num_players >= 1", name="ck_environments_num_players"),
        sa.PrimaryKeyConstraint("id", name="pk_environments"),
        sa.UniqueConstraint("fingerprint", name="uq_environments_fingerprint"),
    )
    op.create_index("ix_environments_name", "environments", ["name"])
    op.create_table(
        "tournaments",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("config", JSON, nullable=False),
        sa.Column("config_hash", sa.Text, nullable=False),
        sa.Column("seed", BIG, nullable=False),
        sa.Column("games", sa.Integer, nullable=False),
        sa.Column("environment_id", sa.Integer, nullable=False),
        sa.Column("next_fold_index", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.CheckConstraint(
            "status IN ('created', 'running', 'paused', 'finished')", name="ck_tournaments_status"
        ),
        sa.CheckConstraint("games >= 0", name="ck_tournaments_games"),
        sa.CheckConstraint("next_fold_index >= 0", name="ck_tournaments_next_fold_index"),
        refers("fk_tournaments_environment_id", "environment_id", "environments.id", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_tournaments"),
        sa.UniqueConstraint("name", name="uq_tournaments_name"),
    )
    op.create_index("ix_tournaments_environment_id", "tournaments", ["environment_id"])


def create_games() -> None:
    op.create_table(
        "games",
        sa.Column("id", BIG, nullable=False),
        sa.Column("tournament_id", sa.Integer, nullable=True),
        sa.Column("environment_id", sa.Integer, nullable=True),
        sa.Column("schedule_index", sa.Integer, nullable=True),
        sa.Column("block", sa.Integer, nullable=True),
        sa.Column("seed", BIG, nullable=True),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("winning_team", sa.Text, nullable=True),
        sa.Column("termination", sa.Text, nullable=True),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("reason_raw", sa.LargeBinary, nullable=True),
        sa.Column("environment_crashed", sa.Boolean, nullable=False),
        sa.Column("void_cause", sa.Text, nullable=True),
        sa.Column("final", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("error_raw", sa.LargeBinary, nullable=True),
        sa.Column("turn_count", sa.Integer, nullable=True),
        sa.Column("game_info", JSON, nullable=True),
        sa.Column("parent_game_id", BIG, nullable=True),
        sa.Column("parent_turn", sa.Integer, nullable=True),
        sa.Column("fold_index", BIG, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "status IN ('scheduled', 'running', 'completed', 'void')", name="ck_games_status"
        ),
        sa.CheckConstraint("attempt >= 0", name="ck_games_attempt"),
        sa.CheckConstraint("schedule_index >= 0", name="ck_games_schedule_index"),
        sa.CheckConstraint("turn_count >= 0", name="ck_games_turn_count"),
        refers("fk_games_environment_id", "environment_id", "environments.id", "RESTRICT"),
        refers("fk_games_parent_game_id", "parent_game_id", "games.id", "SET NULL"),
        refers("fk_games_tournament_id", "tournament_id", "tournaments.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_games"),
        sa.UniqueConstraint("fold_index", name="uq_games_fold_index"),
        sa.UniqueConstraint(
            "tournament_id", "schedule_index", "attempt", name="uq_games_tournament_schedule"
        ),
    )
    op.create_index("ix_games_environment_id", "games", ["environment_id"])
    op.create_index("ix_games_parent_game_id", "games", ["parent_game_id"])
    op.create_index("ix_games_status", "games", ["status"])
    op.create_index("ix_games_tournament_status", "games", ["tournament_id", "status"])
    op.create_table(
        "game_players",
        sa.Column("id", BIG, nullable=False),
        sa.Column("game_id", BIG, nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("player_index", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=True),
        sa.Column("team", sa.Text, nullable=True),
        sa.Column("rank", sa.Integer, nullable=True),
        sa.Column("reward", sa.Float, nullable=True),
        sa.Column("invalid_actions", sa.Integer, nullable=False),
        sa.CheckConstraint("invalid_actions >= 0", name="ck_game_players_invalid_actions"),
        sa.CheckConstraint("player_index >= 0", name="ck_game_players_player_index"),
        sa.CheckConstraint("rank >= 0", name="ck_game_players_rank"),
        refers("fk_game_players_agent_id", "agent_id", "agents.id", "RESTRICT"),
        refers("fk_game_players_game_id", "game_id", "games.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_game_players"),
        sa.UniqueConstraint("game_id", "player_index", name="uq_game_players_game_player"),
    )
    op.create_index("ix_game_players_agent_game", "game_players", ["agent_id", "game_id"])


def create_turns_and_calls() -> None:
    op.create_table(
        "game_turns",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("game_id", KEY, nullable=False),
        sa.Column("turn_number", sa.Integer, nullable=False),
        sa.Column("player_index", sa.Integer, nullable=False),
        sa.Column("action", sa.Text, nullable=True),
        sa.Column("action_raw", sa.LargeBinary, nullable=True),
        sa.Column("submitted", sa.Text, nullable=True),
        sa.Column("submitted_raw", sa.LargeBinary, nullable=True),
        sa.Column("invalid", sa.Boolean, nullable=False),
        sa.Column("observed_at", TIME, nullable=False),
        sa.Column("acted_at", TIME, nullable=True),
        sa.Column("response_time_ms", sa.Float, nullable=True),
        sa.Column("tokens_used", sa.Integer, nullable=True),
        sa.CheckConstraint(
            "id = game_id * 16777216 + turn_number * 256 + player_index", name="ck_game_turns_id"
        ),
        sa.CheckConstraint(
            "player_index >= 0 AND player_index < 256", name="ck_game_turns_player_index"
        ),
        sa.CheckConstraint(
            "turn_number >= 0 AND turn_number < 65536", name="ck_game_turns_turn_number"
        ),
        refers("fk_game_turns_game_id", "game_id", "games.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_game_turns"),
    )
    op.create_index("ix_game_turns_game_id", "game_turns", ["game_id"])
    op.create_table(
        "turn_payloads",
        sa.Column("game_turn_id", KEY, autoincrement=False, nullable=False),
        sa.Column("prefix_len", sa.Integer, nullable=False),
        sa.Column("prefix_hash", sa.LargeBinary, nullable=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("prefix_len >= 0", name="ck_turn_payloads_prefix_len"),
        refers("fk_turn_payloads_game_turn_id", "game_turn_id", "game_turns.id", "CASCADE"),
        sa.PrimaryKeyConstraint("game_turn_id", name="pk_turn_payloads"),
    )
    op.create_table(
        "llm_calls",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("game_turn_id", KEY, nullable=False),
        sa.Column("call_index", sa.Integer, nullable=False),
        sa.Column("call_number", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("model_answered", sa.Text, nullable=True),
        sa.Column("request", JSON, nullable=True),
        sa.Column("request_hash", sa.Text, nullable=True),
        sa.Column("request_sent_at", TIME, nullable=True),
        sa.Column("first_token_ms", sa.Float, nullable=True),
        sa.Column("response_received_at", TIME, nullable=True),
        sa.Column("total_response_time_ms", sa.Float, nullable=True),
        sa.Column("prompt_tokens", sa.Integer, nullable=True),
        sa.Column("response_tokens", sa.Integer, nullable=True),
        sa.Column("cached_tokens", sa.Integer, nullable=True),
        sa.Column("reasoning_tokens", sa.Integer, nullable=True),
        sa.Column("total_tokens_consumed", sa.Integer, nullable=True),
        sa.Column("cost", sa.Float, nullable=True),
        sa.Column("finish_reason", sa.Text, nullable=True),
        sa.Column("error_class", sa.Text, nullable=True),
        sa.Column("error_message", sa.Text, nullable=True),
        sa.Column("error_message_raw", sa.LargeBinary, nullable=True),
        sa.Column("error_status", sa.Integer, nullable=True),
        sa.CheckConstraint("call_index >= 0 AND call_index < 256", name="ck_llm_calls_call_index"),
        sa.CheckConstraint("id = game_turn_id * 256 + call_index", name="ck_llm_calls_id"),
        refers("fk_llm_calls_game_turn_id", "game_turn_id", "game_turns.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_llm_calls"),
    )
    op.create_index("ix_llm_calls_game_turn_id", "llm_calls", ["game_turn_id"])
    op.create_table(
        "call_payloads",
        sa.Column("llm_call_id", KEY, autoincrement=False, nullable=False),
        sa.Column("prefix_len", sa.Integer, nullable=False),
        sa.Column("prefix_hash", sa.LargeBinary, nullable=True),
        sa.Column("messages", sa.LargeBinary, nullable=False),
        sa.Column("response", sa.LargeBinary, nullable=True),
        sa.CheckConstraint("prefix_len >= 0", name="ck_call_payloads_prefix_len"),
        refers("fk_call_payloads_llm_call_id", "llm_call_id", "llm_calls.id", "CASCADE"),
        sa.PrimaryKeyConstraint("llm_call_id", name="pk_call_payloads"),
    )


def create_ratings() -> None:
    op.create_table(
        "rating_pools",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("environment_id", sa.Integer, nullable=True),
        sa.Column("tournament_id", sa.Integer, nullable=True),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("games", sa.Integer, nullable=False),
        sa.Column("draws", sa.Integer, nullable=False),
        sa.CheckConstraint("draws >= 0 AND draws <= games", name="ck_rating_pools_draws"),
        refers("fk_rating_pools_environment_id", "environment_id", "environments.id", "RESTRICT"),
        refers("fk_rating_pools_tournament_id", "tournament_id", "tournaments.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_rating_pools"),
    )
    op.create_index(
        "uq_rating_pools_by_hand",
        "rating_pools",
        ["system"],
        unique=True,
        **only("tournament_id IS NULL AND environment_id IS NULL"),
    )
    op.create_index(
        "uq_rating_pools_environment",
        "rating_pools",
        ["environment_id", "system"],
        unique=True,
        **only("tournament_id IS NULL AND environment_id IS NOT NULL"),
    )
    op.create_index(
        "uq_rating_pools_tournament",
        "rating_pools",
        ["tournament_id", "system"],
        unique=True,
        **only("tournament_id IS NOT NULL"),
    )
    op.create_table(
        "agent_trueskill",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("pool_id", sa.Integer, nullable=False),
        sa.Column("mu", sa.Float, nullable=False),
        sa.Column("sigma", sa.Float, nullable=False),
        sa.Column("games", sa.Integer, nullable=False),
        sa.Column("wins", sa.Integer, nullable=False),
        sa.Column("draws", sa.Integer, nullable=False),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("games = wins + draws + losses", name="ck_agent_trueskill_games"),
        sa.CheckConstraint("sigma > 0", name="ck_agent_trueskill_sigma"),
        refers("fk_agent_trueskill_agent_id", "agent_id", "agents.id", "CASCADE"),
        refers("fk_agent_trueskill_pool_id", "pool_id", "rating_pools.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_agent_trueskill"),
        sa.UniqueConstraint("pool_id", "agent_id", name="uq_agent_trueskill_pool_agent"),
    )
    op.create_index("ix_agent_trueskill_agent_id", "agent_trueskill", ["agent_id"])
    op.create_index("ix_agent_trueskill_leaderboard", "agent_trueskill", ["pool_id", "mu"])
    op.create_table(
        "rating_changes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("pool_id", sa.Integer, nullable=False),
        sa.Column("game_id", BIG, nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
        sa.Column("mu_before", sa.Float, nullable=False),
        sa.Column("sigma_before", sa.Float, nullable=False),
        sa.Column("mu_after", sa.Float, nullable=False),
        sa.Column("sigma_after", sa.Float, nullable=False),
        refers("fk_rating_changes_agent_id", "agent_id", "agents.id", "RESTRICT"),
        refers("fk_rating_changes_game_id", "game_id", "games.id", "CASCADE"),
        refers("fk_rating_changes_pool_id", "pool_id", "rating_pools.id", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_rating_changes"),
        sa.UniqueConstraint(
            "pool_id", "agent_id", "game_id", name="uq_rating_changes_pool_agent_game"
        ),
    )
    op.create_index("ix_rating_changes_game_id", "rating_changes", ["game_id"])
