"""The page of a game by pointer and keyboard: turns are stepped, calls unfold where one reads."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.viewer.chromium.window import window


def test_calls_unfold_in_place(chromium: Browser, pages: str) -> None:
    with window(chromium, pages) as at:
        at.page.goto(pages)
        at.open("/game/1")
        link = at.page.locator("a[data-calls]").nth(2)
        link.click()
        unfolded = at.page.locator(".unfolded")
        expect(unfolded).to_contain_text("Prompt that was sent")
        expect(unfolded).to_contain_text("Reply")
        expect(link).to_have_attribute("aria-expanded", "true")
        at.page.locator("a[data-calls]").nth(3).click()
        expect(unfolded).to_have_count(2)
        ids = at.page.eval_on_selector_all("[id]", "all => all.map(each => each.id)")
        assert len(ids) == len(set(ids))
        assert not at.inaccessible("light")
        link.click()
        expect(unfolded.first).to_be_hidden()
        expect(link).to_have_attribute("aria-expanded", "false")
        assert at.page.url.endswith("/game/1")


def test_turns_are_stepped_by_keys(chromium: Browser, pages: str) -> None:
    with window(chromium, pages) as at:
        at.page.goto(pages)
        at.open("/game/1")
        said, now = at.page.locator(".nowsaid"), at.page.locator("article.now")
        expect(said).to_be_hidden()
        at.page.keyboard.press("k")
        last = at.page.locator("article").nth(-2)
        expect(now).to_have_attribute("id", last.get_attribute("id") or "")
        expect(said).to_contain_text(last.locator("> bdi").inner_text().strip()[:40])
        at.page.keyboard.press("k")
        at.page.keyboard.press("j")
        expect(now).to_have_attribute("id", last.get_attribute("id") or "")
        at.page.keyboard.press("/")
        box = at.page.locator("input[type=search]")
        expect(box).to_be_focused()
        at.page.keyboard.type("jk/")
        expect(box).to_have_value("jk/")
        expect(now).to_have_attribute("id", last.get_attribute("id") or "")


@pytest.mark.slow
def test_a_failed_call_is_two_steps_from_the_list_of_games(chromium: Browser, pages: str) -> None:
    with window(chromium, pages, java_script_enabled=False) as at:
        at.page.goto(pages)
        at.open("/games?status=void")
        expect(at.page.locator("td .tag.bad").first).to_contain_text("1 failed call")
        at.page.locator("td.n a").first.click()
        at.page.locator(".failures a").first.click()
        failed = at.page.locator("#failed")
        expect(failed).to_contain_text("request refused")
        expect(failed).to_contain_text("check the model's params")
        failed.locator("a").click()
        expect(at.page.locator(".call:target")).to_contain_text("Prompt that was sent")
