"""A real browser in front of a console: Chromium, driven by Playwright, which reaches nothing but this machine."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

BINARIES = ("chromium", "chromium-browser", "google-chrome")
NEEDED = "RESPONDER_NEEDS_CHROMIUM"
"""Environment variable that turns a browser which is not there from a reason to skip into a failure."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
AXE = Path(sys.prefix) / "cdk" / "node_modules" / "axe-core" / "axe.min.js"
"""What `make setup` installs."""
SCREENSHOTS = Path(__file__).resolve().parents[1] / "build" / "screenshots"

LOOKS = (("light", 1280), ("dark", 1280), ("light", 390))
"""Colour scheme, and width in pixels: a desk, and a phone."""

_JUDGED = (("light", 1280), ("dark", 390))
"""Where a page that stands alone is judged by axe-core, which takes long: both colour schemes, and both layouts."""

_COUNT_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""
_CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, [tabindex='0']"


def chromium() -> str:
    """The browser's binary; without one the test is skipped, or fails where browsers are demanded."""
    found = next(filter(None, map(shutil.which, BINARIES)), None)
    if found is None:
        why = f"there is no {BINARIES[0]} on this machine: `apt-get install {BINARIES[0]}` brings it"
        if os.environ.get(NEEDED):
            pytest.fail(why)
        pytest.skip(why)
    return found


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser without a window."""
    binary = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def violations_of(page: Page) -> Sequence[str]:
    """What axe-core finds against WCAG and its own good practice, a line each."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: {node['html'][:120]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def read_alone(browser: Browser, file: Path, name: str) -> Sequence[str]:
    """Look at a page that stands alone, as everybody may look at it, keep what was seen, and say what of it is not as
    it should be: on screens, by day and by night, and on paper."""
    wrong: list[str] = []
    for scheme, width in (*LOOKS, ("dark", 390), ("print", 680)):
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.on("console", lambda said: wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: wrong.append(asked.url) if asked.url != file.as_uri() else None)
        page.add_init_script(_COUNT_SHIFTS)
        if scheme == "print":
            page.emulate_media(media="print")
        else:
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(file.as_uri())
        page.wait_for_load_state("networkidle")
        wide, shifted = page.evaluate("[document.documentElement.scrollWidth, window.shifted]")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
        found = [
            *(violations_of(page) if (scheme, width) in _JUDGED else []),
            *([f"{wide} pixels wide"] if wide > width else []),
            *([f"shifts by {shifted} while it loads"] if shifted else []),
        ]
        wrong.extend(f"{scheme}, {width}: {each}" for each in found)
        context.close()
    return wrong


class Tab:
    """One tab, let in by a link, and everything in it that should not be: errors, and requests to elsewhere."""

    def __init__(self, browser: Browser, link: str) -> None:
        self.base = link.split("/enter?")[0]
        self.page: Page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type != "log" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda asked: self.foreign.append(asked.url) if not self._own(asked.url) else None)
        self.page.add_init_script(_COUNT_SHIFTS)
        self.page.goto(link)
        self.page.wait_for_url(f"{self.base}/incidents")

    def _own(self, url: str) -> bool:
        return url.startswith(f"{self.base}/")

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)
        self.page.wait_for_load_state("networkidle")

    def look(self) -> None:
        """What the script does every few seconds, at once."""
        with self.page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
            self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        self.page.wait_for_timeout(50)

    def assert_quiet(self) -> None:
        """No error, no warning, and no request that left this console."""
        assert self.errors == []
        assert self.foreign == []

    def inspect(self, name: str, path: str) -> Sequence[str]:
        """Look at a page as everybody may look at it, keep what was seen, and say what of it is not as it should be."""
        wrong: list[str] = []
        for scheme, width in LOOKS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            self.open(path)
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
            if self.page.evaluate("document.body.dataset.poll"):
                self.look()
            wide, shifted = self.page.evaluate("[document.documentElement.scrollWidth, window.shifted]")
            found = [
                *self.violations(),
                *([f"{wide} pixels wide"] if wide > width else []),
                *([f"shifts by {shifted} while it loads or is looked at again"] if shifted else []),
            ]
            wrong += [f"{scheme}, {width}: {each}" for each in found]
        return [*wrong, *(f"not reached by Tab: {each}" for each in self.unreached())]

    def violations(self) -> Sequence[str]:
        return violations_of(self.page)

    def unreached(self) -> Sequence[str]:
        """Controls that the tab key never comes to, or of which nobody sees that it did."""
        self.page.evaluate(
            f"""document.querySelectorAll("{_CONTROLS}").forEach((each, n) => {{ each.dataset.control = n; }});
            document.activeElement.blur(); window.reached = new Set();"""
        )
        controls = self.page.evaluate(
            "[...document.querySelectorAll('[data-control]')].filter((e) => e.checkVisibility()).length"
        )
        for _ in range(controls + 2):
            self.page.keyboard.press("Tab")
            self.page.evaluate(
                """(() => {
                const at = document.activeElement, style = getComputedStyle(at);
                if (at.dataset.control && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
                  window.reached.add(at.dataset.control);
                })()"""
            )
        left: list[str] = self.page.evaluate(
            """[...document.querySelectorAll("[data-control]")]
            .filter((each) => each.checkVisibility() && !window.reached.has(each.dataset.control))
            .map((each) => each.outerHTML.slice(0, 120))"""
        )
        return left
