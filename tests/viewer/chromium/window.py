"""A window of the browser: it opens pages, and notes whatever they do that they should not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Response

WIDTHS = (360, 768, 1440)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
_OF_COLOURS = ["color-contrast", "link-in-text-block"]
_RUN_AXE = """(rules) => axe.run(document, {
  resultTypes: ["violations"], ...(rules && {runOnly: {type: "rule", values: rules}})
}).then((found) => found.violations.flatMap((one) => one.nodes.map((node) =>
    `${one.id}: ${node.target.join(" ")}: ${node.failureSummary}`)))"""
_VIOLATED = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""
_WIDER = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.querySelectorAll("body *")].filter((part) => {
    for (let at = part.parentElement; at; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible") return false;
    return part.getBoundingClientRect().right > wide + 0.5;
  }).map((part) => `${part.tagName}.${part.getAttribute("class")}`).slice(0, 5);
}"""

_MARKED = """() => {
  const at = document.activeElement;
  if (at === document.body) return true;
  const { top, bottom, width } = at.getBoundingClientRect();
  const seen = bottom >= 0 && top <= innerHeight && width > 0;
  return seen && getComputedStyle(at).outlineStyle !== "none";
}"""


@dataclass(slots=True)
class Window:
    """A page of the browser at a server of pages."""

    page: Page
    home: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Response:
        """Open a page by its path."""
        answer = self.page.goto(self.home + path)
        assert answer is not None
        return answer

    def heading(self) -> str:
        """The page's first line."""
        return self.page.locator("h1").first.inner_text()

    def focused(self) -> str:
        """The text of what has the focus of the keyboard."""
        text: str = self.page.evaluate("() => document.activeElement.innerText")
        return text

    def focus_is_marked(self) -> bool:
        """Whether what has the focus is seen and has an outline; true where nothing has it."""
        found: bool = self.page.evaluate(_MARKED)
        return found

    def too_wide(self, width: int) -> list[str]:
        """What stands out of the page at this width, so that all of it would scroll sideways."""
        self.page.set_viewport_size({"width": width, "height": 900})
        found: list[str] = self.page.evaluate(_WIDER)
        return found

    def inaccessible(self, theme: Literal["light", "dark"]) -> list[str]:
        """What axe finds wrong; in the dark by its rules of colours, the only ones that can say
        something else there."""
        self.page.emulate_media(color_scheme=theme)
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(_AXE)
        found: list[str] = self.page.evaluate(_RUN_AXE, _OF_COLOURS if theme == "dark" else None)
        return found


@contextmanager
def window(browser: Browser, address: str, **options: Any) -> Iterator[Window]:
    """A new window at an address with a token. At the end nothing may have been noted: no error,
    no dialog, no request to elsewhere, no violation of the policy."""
    parts = urlsplit(address)
    home = f"{parts.scheme}://{parts.netloc}"
    # Without motion what is seen is what will be.
    options = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | options
    with browser.new_context(**options) as context:
        page = context.new_page()
        made = Window(page, home)
        faults = made.faults
        page.add_init_script(_VIOLATED)
        page.on(
            "console",
            lambda said: (
                faults.append(f"{said.type}: {said.text} on {page.url}")
                if said.type in ("error", "warning")
                else None
            ),
        )
        page.on("pageerror", lambda error: faults.append(f"error: {error} on {page.url}"))
        page.on("dialog", lambda dialog: (faults.append("dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(f"{home}/") else faults.append(f"asked {asked.url}")
            ),
        )
        page.goto(address)
        yield made
        assert faults == [], json.dumps(faults, indent=1)
