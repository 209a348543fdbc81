"""What happened of what could have, in SQL that SQLite and PostgreSQL read alike.

Each text selects from `these`, the games that are asked about, and gives a row for each trial or
for some of a game together: `game`, `turn` (NULL where it is of no single one), `stratum` (trials
are compared inside it), `part` (whose trials are compared with those of the others), `x` and `n`:
x of n trials came true.
"""

# ruff: noqa: S608 (what is put into a text is a constant, or quoted here)

from __future__ import annotations

_ENVIRONMENT = "CAST(t.environment_id AS TEXT)"
_ROLE = f"{_ENVIRONMENT} || '/' || COALESCE(p.role, '')"
_AGENT = "CAST(p.agent_id AS TEXT)"
_NO_TURN = "CAST(NULL AS INTEGER)"


def _kind(name: str) -> str:
    return f"(SELECT id FROM event_types WHERE name = '{name}')"


# (common tables that come before, the trials)
PHASES = (
    "",
    f"""SELECT e.game_id AS game, e.turn AS turn, {_ENVIRONMENT} AS stratum, MIN(e.phase) AS part,
       MAX(CASE WHEN e.kind = {_kind("refused")} THEN 1 ELSE 0 END) AS x, 1 AS n
  FROM these t JOIN game_events e ON e.game_id = t.id
 WHERE t.status = 'completed' AND e.turn IS NOT NULL AND e.phase IS NOT NULL
 GROUP BY e.game_id, e.turn, t.environment_id""",
)


def of_turns(count: str, part: str = _AGENT) -> tuple[str, str]:
    """How many of an agent's turns were counted in a column of `game_players`."""
    return (
        "",
        f"""SELECT p.game_id AS game, {_NO_TURN} AS turn, {_ROLE} AS stratum, {part} AS part,
       p.{count} AS x, p.turns AS n
  FROM these t JOIN game_players p ON p.game_id = t.id
 WHERE t.status = 'completed' AND p.turns > 0""",
    )


DECIDED = (
    "",
    f"""SELECT p.game_id AS game, {_NO_TURN} AS turn, {_ROLE} AS stratum, {_AGENT} AS part,
       CASE WHEN p.decided THEN 1 ELSE 0 END AS x, 1 AS n
  FROM these t JOIN game_players p ON p.game_id = t.id
 WHERE t.status = 'completed' AND p.turns > 0""",
)

_FIRSTS = """firsts AS (
SELECT p.game_id, COUNT(DISTINCT COALESCE(p.team, CAST(p.player_index AS TEXT))) AS teams
  FROM these t JOIN game_players p ON p.game_id = t.id
 WHERE t.status = 'completed' AND p.rank = 0
 GROUP BY p.game_id),
"""
_SCORE = "CASE WHEN p.rank > 0 THEN 0.0 WHEN f.teams > 1 THEN 0.5 ELSE 1.0 END"

PROMPTS = (
    _FIRSTS,
    f"""SELECT p.game_id AS game, {_NO_TURN} AS turn,
       {_ROLE} || '/' || CAST(a.model_id AS TEXT) || '/' || CAST(a.kind_id AS TEXT) AS stratum,
       CAST(a.prompt_id AS TEXT) || '/' || COALESCE(p.role, '') AS part, {_SCORE} AS x, 1 AS n
  FROM these t JOIN game_players p ON p.game_id = t.id JOIN firsts f ON f.game_id = t.id
  JOIN agents a ON a.id = p.agent_id
 WHERE p.rank IS NOT NULL""",
)
SEATS = (
    _FIRSTS,
    f"""SELECT p.game_id AS game, {_NO_TURN} AS turn, {_ROLE} AS stratum,
       {_ENVIRONMENT} || '/' || CAST(p.player_index AS TEXT) AS part, {_SCORE} AS x, 1 AS n
  FROM these t JOIN game_players p ON p.game_id = t.id JOIN firsts f ON f.game_id = t.id
 WHERE p.rank IS NOT NULL""",
)

_SAID = f"""said AS (
SELECT DISTINCT e.game_id, e.day, e.source, e.target
  FROM these t JOIN game_events e ON e.game_id = t.id
 WHERE t.status = 'completed' AND e.kind = {_kind("accusation")} AND e.target IS NOT NULL),
votes AS (
SELECT v.game_id, v.turn, v.day, v.source, v.target, t.environment_id
  FROM these t JOIN game_events v ON v.game_id = t.id
 WHERE t.status = 'completed' AND v.kind = {_kind("vote")} AND v.target IS NOT NULL),
"""


def words(part: str) -> tuple[str, str]:
    """The votes of who has spoken against somebody that day; x for one for somebody else."""
    of = {"agent": _AGENT, "role": "COALESCE(p.role, '')"}[part]
    stratum = _ROLE if part == "agent" else _ENVIRONMENT
    return (
        _SAID,
        f"""SELECT t.game_id AS game, t.turn AS turn, {stratum} AS stratum, {of} AS part,
       1 - MAX(CASE WHEN s.target = t.target THEN 1 ELSE 0 END) AS x, 1 AS n
  FROM votes t JOIN said s ON s.game_id = t.game_id AND s.day = t.day AND s.source = t.source
  JOIN game_players p ON p.game_id = t.game_id AND p.player_index = t.source
 GROUP BY t.game_id, t.turn, t.environment_id, p.role, p.agent_id""",
    )


AIMED = (
    _SAID,
    f"""SELECT t.game_id AS game, t.turn AS turn, {_ROLE} AS stratum, {_AGENT} AS part,
       CASE WHEN q.team <> p.team THEN 1 ELSE 0 END AS x, 1 AS n
  FROM votes t
  JOIN game_players p ON p.game_id = t.game_id AND p.player_index = t.source
  JOIN game_players q ON q.game_id = t.game_id AND q.player_index = t.target
 WHERE p.team IS NOT NULL AND q.team IS NOT NULL""",
)
BELIEVED = (
    _SAID
    + f"""claims AS (
SELECT DISTINCT e.game_id, e.day, e.source, e.data ->> 'role' AS role
  FROM these t JOIN game_events e ON e.game_id = t.id
 WHERE t.status = 'completed' AND e.kind = {_kind("claim")} AND e.target IS NULL
   AND e.data ->> 'role' IS NOT NULL AND e.data ->> 'denies' IS NULL),
""",
    f"""SELECT t.game_id AS game, t.turn AS turn, {_ENVIRONMENT} || '/' || c.role AS stratum,
       CASE WHEN c.role = p.role THEN 'true' ELSE 'false' END || '/' || c.role AS part,
       CASE WHEN t.target = c.source THEN 1 ELSE 0 END AS x, 1 AS n
  FROM claims c
  JOIN votes t ON t.game_id = c.game_id AND t.day = c.day AND t.source <> c.source
  JOIN game_players p ON p.game_id = c.game_id AND p.player_index = c.source
 WHERE p.role IS NOT NULL""",
)


def calls(true: str, among: str = "c.response_received_at IS NOT NULL") -> tuple[str, str]:
    """The calls to a model, those `among` which is asked; x where it is `true`."""
    return (
        "",
        f"""SELECT t.id AS game, (c.game_turn_id >> 8) & 65535 AS turn, {_ENVIRONMENT} AS stratum,
       c.model AS part, CASE WHEN {true} THEN 1 ELSE 0 END AS x, 1 AS n
  FROM these t
  JOIN llm_calls c ON c.id >= t.id * 4294967296 AND c.id < (t.id + 1) * 4294967296
 WHERE {among}""",
    )


CUT = calls("c.finish_reason = 'length'", "c.error_class IS NULL AND c.finish_reason IS NOT NULL")
FAILED = calls("c.error_class IS NOT NULL")


def failed_by(error_class: str) -> tuple[str, str]:
    """The calls that failed by one class of error."""
    quoted = error_class.replace("'", "''")
    return calls(f"c.error_class = '{quoted}'")


# Shorter ones, as votes are, may well be alike. SQLite joins in the order of CROSS JOIN.
REPEATED = (
    "",
    f"""SELECT t.id AS game, {_NO_TURN} AS turn, {_ROLE} AS stratum, {_AGENT} AS part,
       COUNT(*) - COUNT(DISTINCT d.action) AS x, COUNT(*) AS n
  FROM these t CROSS JOIN game_turns d CROSS JOIN game_players p
 WHERE t.status = 'completed' AND LENGTH(d.action) > 40
   AND d.id >= t.id * 16777216 AND d.id < (t.id + 1) * 16777216
   AND p.game_id = t.id AND p.player_index = d.player_index
 GROUP BY t.id, t.environment_id, p.role, p.agent_id, p.player_index""",
)
