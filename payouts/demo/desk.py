"""An approver at the admin: logs in and fills in its real forms, with codes from an authenticator."""

import time
from html.parser import HTMLParser

import httpx
from django_otp.oath import TOTP

from payouts.demo.terminal import Differs

TIMEOUT_S = 15.0
STEP_S = 30
TYPING_S = 5
PAUSE_S = 0.2


class Authenticator:
    """Shows six digits; the site takes codes one step early or late, and each only once."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._last_step = -1

    def code(self) -> str:
        """A code that has not been used, waiting for the next one where there is none."""
        while (step := max(self._last_step + 1, self._oldest())) > int(time.time()) // STEP_S + 1:
            time.sleep(PAUSE_S)
        self._last_step = step
        totp = TOTP(self._key, step=STEP_S)
        totp.time = step * STEP_S
        return f"{totp.token():06d}"

    def _oldest(self) -> int:
        """The first step whose code is still taken when it arrives a few seconds from now."""
        return int(time.time() + TYPING_S) // STEP_S - 1


class Inputs(HTMLParser):
    """The named inputs of a page's forms with their values, and the texts that tell of errors."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an input."""
        found = dict(attrs)
        if tag == "input" and found.get("name"):
            self.values[str(found["name"])] = found.get("value") or ""


class Desk:
    """One approver's browser."""

    def __init__(self, base_url: str, *, username: str, password: str, key: bytes) -> None:
        self.username = username
        self._authenticator = Authenticator(key)
        self._http = httpx.Client(base_url=base_url, timeout=TIMEOUT_S, trust_env=False, follow_redirects=True)
        self._log_in(password)

    def _log_in(self, password: str) -> None:
        """Raises: Differs."""
        form = {"username": self.username, "password": password, "otp_token": self._authenticator.code()}
        page = self._submit("/admin/login/?next=/admin/", form)
        if page.url.path != "/admin/":
            raise Differs(f"{self.username} could not log in")

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def approve(self, withdrawal_id: str) -> None:
        """Open the approval page, read it, type the code, confirm.

        Raises: Differs when the page does not lead back to the queue.
        """
        self._decide(withdrawal_id, "approve", {})

    def reject(self, withdrawal_id: str, *, reason: str) -> None:
        """Say no, and why.

        Raises: Differs when the page does not lead back to the queue.
        """
        self._decide(withdrawal_id, "reject", {"reason": reason})

    def _decide(self, withdrawal_id: str, verb: str, form: dict[str, str]) -> None:
        path = f"/admin/payouts/withdrawal/{withdrawal_id}/{verb}/"
        page = self._submit(path, form | {"otp": self._authenticator.code()})
        if page.url.path == path:
            raise Differs(f"{self.username} could not {verb} {withdrawal_id}: the form came back")

    def _submit(self, path: str, form: dict[str, str]) -> httpx.Response:
        page = self._http.get(path)
        if page.status_code != httpx.codes.OK:
            raise Differs(f"GET {path} answered {page.status_code}")
        filled = Inputs(page.text).values | form
        headers = {"Referer": str(page.url), "Origin": f"{page.url.scheme}://{page.url.netloc.decode()}"}
        answer = self._http.post(path, data=filled, headers=headers)
        if answer.status_code != httpx.codes.OK:
            raise Differs(f"POST {path} answered {answer.status_code}")
        return answer
