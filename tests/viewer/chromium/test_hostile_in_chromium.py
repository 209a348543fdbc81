"""A thousand outputs of a model that attacks whoever reads them, played and recorded like any
other, under names that attack too: the browser shows them, and nothing happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.viewer.chromium.walking import by_route, walk
from tests.viewer.chromium.window import Window, window
from tests.viewer.serving import Served

AWAY = "//127.0.0.2:9/x"
"""Where nothing listens: to ask there is what must not happen."""
PAYLOADS = (
    "<script>alert(1)</script>",
    f"<script src={AWAY}></script>",
    "<img src=x onerror=alert(1)>",
    f"<img src={AWAY}><image href={AWAY}>",
    "<svg onload=alert(1)><animate onbegin=alert(1) attributeName=x>",
    "<svg><script>alert(1)</script></svg>",
    '" autofocus onfocus="alert(1)" x="',
    "' onmouseover='alert(1)' x='",
    "</title></style></textarea></script><script>alert(1)</script>",
    "</bdi></div></article></main><h1>mine</h1><form action=//127.0.0.2:9><button>go</button>",
    f"<iframe src={AWAY}></iframe><object data={AWAY}></object><embed src={AWAY}>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    f"<link rel=stylesheet href={AWAY}><style>@import '{AWAY}'; body {{ display: none }}</style>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'><base href={AWAY}>",
    "<a href=javascript:alert(1) autofocus>press</a>",
    f"[press](javascript:alert(1)) ![x]({AWAY})",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    f"<video autoplay src={AWAY} onerror=alert(1)><source onerror=alert(1)></video>",
    "<input autofocus onfocus=alert(1)><select autofocus onfocus=alert(1)>",
    "<math><mtext><table><mglyph><style><!--</style><img src=x onerror=alert(1)>",
    "<template><script>alert(1)</script></template><noscript><p title='</noscript><img src=x>'>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;",
    "{{ 7 * 7 }}{% raw %}{{ self.__init__.__globals__ }}",
    "${alert(1)} `${alert(1)}` <%= 7 * 7 %> #{7 * 7}",
    "data: x\n\nevent: part\ndata: <script>alert(1)</script>\n\n",
    "javascript:alert(1)",
    "-->]]></desc></text></svg><script>alert(1)</script>",
    "\u202eevil\u2066 \u200b\ufeff \x00 \x1b[2J \ud800",
    "\U000e0041\u0301" * 300,
    "W" * 4_000,
    "<b>" * 2_000,
    "'; DROP TABLE games; --",
)
TAGS = (
    "script", "img", "image", "iframe", "object", "embed", "style", "link", "meta", "base", "video",
    "template", "math",
)  # fmt: skip
MADE_BY_A_TEXT = ", ".join(f"main {tag}" for tag in TAGS)
ATTACKER = f"""
from arena.llm.scripted.random import reply as legal

PAYLOADS = {json.dumps(PAYLOADS)}

def reply(messages, rng):
    text, other = rng.sample(PAYLOADS, 2)
    thought = f"<think>{{text}}</think>" if rng.random() < 0.2 else ""
    return f"{{thought}}{{text}} {{other}} {{legal(messages, rng)}}"
"""


def tournament(games: int) -> str:
    """A tournament whose every name is a payload; in YAML, which has JSON in it."""
    names = PAYLOADS[:6]
    prompts = [{"name": name, "text": f"{name} {{{{player_index}}}}"} for name in names]
    for fork in prompts[1:]:
        fork["forked_from"] = names[0]
    environment = {"name": "SecretMafia-v0-mended", "players": 6}
    return json.dumps(
        {
            "name": names[2],
            "seed": 5,
            "environment": environment | {"options": {"discussion_rounds": 14 if games > 2 else 6}},
            "games": games,
            "matchmaker": {"name": "random"},
            "models": [{"name": names[0], "litellm_model": "scripted/attacker"}],
            "prompts": prompts,
            "agents": [{"name": name, "model": names[0], "prompt": name} for name in names],
        }
    )


@pytest.fixture(params=[2, pytest.param(13, marks=pytest.mark.sweep)], ids="{} games".format)
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The tournament, played by a process that finds the attacker as a stranger's package."""
    metadata = tmp_path / "attacker-1.0.dist-info"
    metadata.mkdir()
    (tmp_path / "attacker.py").write_text(ATTACKER)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: attacker\nVersion: 1.0")
    (metadata / "entry_points.txt").write_text("[arena.scripted]\nattacker = attacker:reply")
    (tmp_path / "hostile.yaml").write_text(tournament(request.param))
    file = tmp_path / "hostile.db"
    command = [sys.executable, "-m", "arena.cli", "run", tmp_path / "hostile.yaml", "--db", file]
    played = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert played.returncode == 0, played.stderr
    return file


@pytest.mark.slow
def test_hostile_outputs_do_nothing(
    hostile: Path, served: Served, chromium: Browser, request: pytest.FixtureRequest
) -> None:
    games = request.node.callspec.params["hostile"]
    with served(hostile) as address, window(chromium, address) as at:
        paths = [f"/game/{number}" for number in range(1, games + 1)]
        shown = sum(harmless(at, path) for path in paths)
        walked = walk(address, alike=1)
        for path in walked if games > 2 else by_route(walked):
            harmless(at, path)
    assert shown >= (1_000 if games > 2 else 75)


def harmless(at: Window, path: str) -> int:
    """Open a page and all that is folded in it, and look for what a text has made. The number of
    turns in it."""
    assert at.open(path).status == 200
    at.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    at.page.mouse.move(300, 500)
    at.page.keyboard.press("Tab")
    assert at.page.locator(MADE_BY_A_TEXT).count() == 0, path
    assert "mine" not in at.page.locator("h1").all_inner_texts()
    assert at.too_wide(360) == [], path
    return at.page.locator("article").count()
