"""A real browser at a real server: what it asks elsewhere, what it complains about, and what axe finds."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests import services
from tests.browser import chromium
from tests.databases import Database

SCREENS = services.ROOT / ".local" / "screens"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
PATIENCE_MS = 60_000


@pytest.fixture(autouse=True)
def _beside_playwrights_loop(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Playwright keeps a loop in this thread, in which Django would refuse the database; and quick passwords."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture
def browser(server: str) -> Iterator[Browser]:
    """Started for one test: a loop that stays would be in the way of every other test of this process."""
    folder = chromium.browser()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=str(folder / "chromium"), args=FLAGS, env=dict(chromium.environment(folder))
        )
        yield opened
        opened.close()


@pytest.fixture
def server(committed: Database) -> Iterator[str]:
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait(timeout=30)
    if thread.error:
        raise thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


class Tab:
    """A page of the browser, and all that went wrong on it."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.elsewhere: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", self._asked)
        page.on("console", self._told)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.elsewhere.append(request.url)

    def _told(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text:  # a refused form answers 400
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(self.base + path, wait_until="networkidle")

    def submit(self, button: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=button, exact=True).click()

    def shot(self, name: str) -> None:
        """Keep a picture, and have axe look for barriers; nothing may be wider than the window."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SCREENS / f"{name}.png"), full_page=True)
        self.page.evaluate(chromium.axe())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        barriers = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found["violations"]]
        assert barriers == [], name
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{name} is {width} px too wide"


@pytest.fixture
def tab(browser: Browser, server: str) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = Tab(context.new_page(), server)
    yield opened
    context.close()
    assert opened.elsewhere == []
    assert opened.complaints == []
