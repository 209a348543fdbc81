"""The trail as pages: the list, and the statuses of a tournament."""

from __future__ import annotations

from pathlib import Path

from db import Repository, get_session
from db.login import login_name
from db.queries.audit import audit_rows
from db.repository.audit import acting_as
from tests.db.tournaments import tournament
from tests.viewer.browser import PORT, browsing

HOSTILE = "<script>alert(1)</script>\u202e{{7*7}}"


def changed(folder: Path) -> str:
    url = f"sqlite:///{folder / 'trail.db'}"
    tournament(url)
    with get_session(url) as session:
        acting_as(session, HOSTILE)
        repo = Repository(session)
        repo.set_tournament_status(1, "running", reason="its run began")
        repo.edit_model(1, params={"temperature": 0.5, "stop": HOSTILE})
        for number in range(70):
            repo.create_prompt(f"p{number}", HOSTILE)
    return url


def test_the_list_shows_what_was_changed_and_leads_on(tmp_path: Path) -> None:
    with browsing(changed(tmp_path)) as ask:
        page = ask("/audit").text
        assert "What was changed, by whom and when" in page
        assert HOSTILE not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "\u202e" not in page
        assert "{{7*7}}" in page
        assert page.count("<bdi>prompts</bdi></td>") == 60
        assert 'href="/audit?before=' in page
        newest = ask("/audit?entity=models&name=model-0").text
        assert "params.temperature" in newest
        assert "none</bdi> → <bdi>0.5" in newest
        assert 'rel="next"' not in newest
        wrong = ask("/audit?entity=agent")
        assert wrong.status_code == 200
        assert "did you mean &#39;agents&#39;" in wrong.text
        assert ask("/audit?before=x").status_code == 404


def test_pages_of_what_was_changed_lead_to_its_entries(tmp_path: Path) -> None:
    with browsing(changed(tmp_path)) as ask:
        cup = ask("/t/cup").text
        assert "running, by" in cup
        assert "its run began" in cup
        assert 'href="/audit?entity=tournaments&amp;name=cup"' in cup
        for page, there in (
            ("/model/1", "entity=models&amp;name=model-0"),
            ("/prompt/1", "entity=prompts&amp;name=plain"),
            ("/agent/1", "entity=agents&amp;name=agent-0"),
        ):
            assert there in ask(page).text


def test_whoever_has_logged_in_is_the_actor_of_what_they_say(tmp_path: Path) -> None:
    url = changed(tmp_path)
    said = {"game": "1", "target": "", "annotator": "Eve", "rating": "4"}
    with browsing(url) as ask:
        assert ask("/annotate", form=said).status_code == 303
    with get_session(url) as session:
        token = Repository(session).add_person("Vic", "annotator")[1]
    with browsing(url, cookie=None, people=True) as ask:
        held = f"arena_{PORT}={token}"
        assert ask("/annotate", form=said, cookie=held).status_code == 303
    with get_session(url) as session:
        entries = audit_rows(session, entity="annotations")
    assert [entry.actor for entry in entries] == ["Vic", login_name() or "nobody"]
    assert [entry.entity_name for entry in entries] == ["1 by Vic", "1 by Eve"]
