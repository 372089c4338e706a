"""The dashboard in Chromium: enrol, look around, pay, on a desk and in a hand, with the keyboard alone."""

import time

import pytest
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from payouts.merchants.models import Merchant
from payouts.withdrawals import withdrawals
from payouts.withdrawals.models import Withdrawal
from tests import make
from tests.browser.conftest import Tab
from tests.dashboard import visitors

LIST_OF_PAGES = (
    "", "payout", "withdrawals", "payments", "statement", "keys", "keys/new", "webhooks", "webhooks/new", "stores",
    "settings", "settings/users", "people", "people/invite", "security",
)  # fmt: skip


def code(who: make.Approver) -> str:
    """A code not used yet, of the device that is enrolled or about to be."""
    device = TOTPDevice.objects.get(user=who.person)
    TOTPDevice.objects.filter(pk=device.pk).update(last_t=-1)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    totp.time = time.time()
    return f"{totp.token():06d}"


def merchant() -> Merchant:
    of = make.merchant(funds="12345.678901", credit="500")
    made = [make.withdrawal(of, "1250.5"), make.withdrawal(of, "20", network="ethereum", destination=make.EVM_ADDRESS)]
    withdrawals.screen(made[0].id, now=make.now())
    return of


@pytest.mark.timeout(400)  # some thirty pages with pictures: half a minute where nothing else runs
def test_a_new_person_enrols_looks_around_and_pays(tab: Tab) -> None:
    who = visitors.person(merchant(), enrolled=False)
    tab.open("/dashboard/")
    tab.shot("login")
    tab.page.get_by_label("Username").fill(who.person.username)
    tab.page.get_by_label("Password").fill(make.PASSWORD)
    tab.submit("Continue")
    tab.shot("enrol")
    tab.page.get_by_label("One-time code").fill(code(who))
    tab.submit("Set up and log in")
    tab.shot("recovery-codes")
    tab.page.get_by_role("link", name="I have kept them").click()
    tab.page.locator("#flow canvas").wait_for()
    for path in LIST_OF_PAGES:
        tab.open(f"/dashboard/{path}")
        tab.shot(f"desk-{path.replace('/', '-') or 'overview'}")
    pay(tab, who)
    narrow(tab)


def pay(tab: Tab, who: make.Approver) -> None:
    """Without a mouse: a wrong address first, then the right one."""
    tab.open("/dashboard/payout")
    tab.page.get_by_label("Asset and network").focus()
    tab.page.keyboard.type("USDT on TRON")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.type("T-nowhere")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.type("1000.25")
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")
    tab.shot("payout-wrong")
    tab.page.get_by_label("To address").fill(make.TRON_ADDRESS)
    tab.submit("Check it")
    tab.page.locator("[name=otp]:focus").wait_for()
    tab.shot("payout-confirm")
    tab.page.get_by_label("One-time code").focus()
    tab.page.keyboard.type(code(who))
    with tab.page.expect_navigation():
        tab.page.keyboard.press("Enter")
    made = Withdrawal.objects.filter(api="dashboard").get()
    assert made.net_units == make.usdt("1000.25")
    tab.shot("withdrawal")
    withdrawals.screen(made.id, now=make.now())
    tab.page.get_by_text("in review", exact=True).wait_for()  # the page has asked by itself


def narrow(tab: Tab) -> None:
    """The same in a hand: 390 px."""
    tab.page.set_viewport_size({"width": 390, "height": 844})
    tab.shot("hand-withdrawal")
    for path in ("", "payout", "withdrawals", "statement", "keys", "people", "security"):
        tab.open(f"/dashboard/{path}")
        tab.shot(f"hand-{path or 'overview'}")
