"""The forms and the slider, as a person uses them: what is filled in is what is shown then."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.viewer.chromium.window import Window, window

MINUTES = 2 * 60_000.0


def asked(at: Window, path: str, **words: str) -> None:
    """Wait for the page that a form asks for."""
    query = "".join(rf"(?=(.*&)?{name}={value}(&|$))" for name, value in words.items())
    expect(at.page).to_have_url(re.compile(rf"{path}\?{query}"), timeout=MINUTES)


@pytest.mark.slow
def test_forms_are_filled_in_and_the_slider_is_pulled(chromium: Browser, pages: str) -> None:
    with window(chromium, pages) as at:
        page, heading = at.page, at.page.locator("h1").first

        # The scope of the board: a menu, and a day that it does not have.
        board = page.locator("table.board").first
        expect(board).to_be_visible(timeout=MINUTES)
        menu = page.locator("details.menu", has_text="Since")
        day = menu.get_by_label("or since")
        expect(day).to_be_hidden()
        menu.locator("summary").click()
        day.fill("2020-01-02")
        menu.get_by_role("button", name="Show").click()
        asked(at, "/", since="2020-01-02")
        expect(board).to_be_visible(timeout=MINUTES)
        expect(menu.locator("summary")).to_contain_text("2020-01-02")

        # The filter of games.
        at.open("/games")
        whole = page.locator("tbody tr").count()
        page.locator("details.filter summary").click()
        page.get_by_label("status", exact=True).fill("void")
        page.get_by_label("agent", exact=True).fill("Ann")
        page.get_by_role("button", name="Show").click()
        asked(at, "/games", status="void", agent="Ann")
        rows = page.locator("tbody tr")
        expect(rows.first).to_contain_text("Ann")
        assert 0 < rows.count() < whole
        assert page.get_by_label("status", exact=True).input_value() == "void"
        page.get_by_role("link", name="all games").click()
        expect(rows).to_have_count(whole)

        # Failed calls of one agent.
        at.open("/calls")
        page.locator("details.filter summary").click()
        page.get_by_label("agent", exact=True).fill("Nobody")
        page.get_by_role("button", name="Show").click()
        asked(at, "/calls", agent="Nobody")
        expect(page.locator("main")).to_contain_text("Nobody")
        at.faults[:] = [fault for fault in at.faults if "Failed to load resource" not in fault]

        # The search box of every page.
        at.open("/game/1")
        page.keyboard.press("/")
        page.keyboard.type('"the night" & more')
        page.keyboard.press("Enter")
        asked(at, "/search", q=re.escape("%22the+night%22+%26+more"))
        assert page.locator("input[type=search]").input_value() == '"the night" & more'

        # Another test of two agents.
        at.open("/compare/1/2")
        expect(heading).not_to_have_text("The comparison is being computed", timeout=MINUTES)
        page.locator("details.filter summary").click()
        page.locator("select[name=test]").select_option("gsprt")
        page.get_by_label("score if it is better").fill("0.7")
        page.get_by_role("button", name="Ask").click()
        asked(at, "/compare/1/2", test="gsprt", h1="0.7")
        expect(heading).not_to_have_text("The comparison is being computed", timeout=MINUTES)
        assert page.get_by_label("score if it is better").input_value() == "0.7"

        # The slider under the lanes, by the pointer.
        at.open("/game/1")
        slider, now = page.locator("input[type=range]"), page.locator("article.now")
        later = page.locator("svg.lanes .later")
        assert (now.count(), later.count()) == (0, 0)
        box = slider.bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] - 5, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 3, middle, steps=4)
        page.mouse.up()
        expect(now).to_have_count(1)
        place = int((now.get_attribute("id") or "").removeprefix("turn-"))
        assert 0 < place < page.locator("article[id^=turn-]").count() - 1
        assert later.count() > 0
        expect(page.locator(".nowsaid")).to_be_visible()
        page.get_by_role("button", name="A turn on").click()
        expect(now).to_have_attribute("id", f"turn-{place + 1}")
        page.get_by_role("button", name="A turn back").click()
        expect(now).to_have_attribute("id", f"turn-{place}")
