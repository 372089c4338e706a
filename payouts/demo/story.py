"""The story: a customer pays on each chain, the money leaves on each chain; a refusal, a credit draw, the proof."""

import secrets as randomness
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django_otp.plugins.otp_totp.models import TOTPDevice

from chain import addresses, networks, units
from chain.devnet import seed
from ledger.models import Anchor, Block
from payouts.api.merchant import wire
from payouts.demo.customer import Customer
from payouts.demo.desk import Desk
from payouts.demo.program import Away, Program
from payouts.demo.receiver import Receiver
from payouts.demo.terminal import Differs, Terminal
from payouts.sandbox import money, people
from payouts.withdrawals import approvers

PAID_IN = {"TRC20": Decimal("600.00"), "ERC20": Decimal("400.00")}
FUND, CREDIT, FEE = sum(PAID_IN.values(), Decimal(0)), Decimal(200), Decimal(1)
PAYOUTS = {"TRC20": Decimal("120.00"), "ERC20": Decimal("80.50")}
REFUSED = Decimal("50.00")
ON_CHAIN_S = 120.0
SOON_S = 30.0
EVENTS = ["withdrawal.created", "withdrawal.completed", "withdrawal.rejected"]


@dataclass
class Cast:
    """Who takes part."""

    customer: Customer
    program: Program
    receiver: Receiver
    first: Desk
    second: Desk
    refuser: Desk


def tell(terminal: Terminal) -> None:
    """Walk the whole road.

    Raises: Differs where it is not as told here.
    """
    terminal.chapter("A merchant's customer pays USDT on both chains; meanwhile its three approvers log in")
    cast = _cast(terminal)
    terminal.chapter("The transfers become final, and the money is the merchant's")
    _credited(cast, terminal)
    recipients = {"TRC20": _fresh_address("tron"), "ERC20": _fresh_address("ethereum")}
    terminal.chapter("Two withdrawals over HTTP, with signed headers")
    made = {network: _create(cast, terminal, network, recipients[network]) for network in PAYOUTS}
    terminal.chapter("Two people approve each, in the admin, with one-time codes")
    _approve(cast, terminal, made)
    terminal.chapter("A third is rejected: the money comes back")
    _rejected(cast, terminal, recipients["TRC20"])
    terminal.chapter("A fourth draws on the credit line and is refused: each part goes back where it came from")
    _credit(cast, terminal, recipients["TRC20"])
    terminal.chapter("Meanwhile the chains confirm")
    for network, withdrawal in made.items():
        _followed(cast, terminal, network, withdrawal)
    terminal.chapter("What the chains themselves say")
    for network, address in recipients.items():
        found = _on_chain(wire.NETWORKS[network], address)
        terminal.expect(f"{address} holds", found, f"{PAYOUTS[network] - FEE:.2f}")
    terminal.chapter("Webhooks that arrived, each with a signature that verified")
    _webhooks(cast, terminal, made)
    terminal.chapter("The merchant's statement")
    _statement(cast, terminal)
    terminal.chapter("The ledger's seals, made public on a chain")
    _anchored(terminal)
    terminal.chapter("Proof: events, balances, sums, seals, their anchors, and the ledger against both chains")
    _proved(terminal)


def _cast(terminal: Terminal) -> Cast:
    name = f"demo-{randomness.token_hex(4)}"
    now = datetime.now(UTC)
    money.provide_wallets()
    merchant, known, _ = people.merchant(name, bare=True, now=now)
    money.set_credit(merchant, owner=merchant.id, limit_units=_units(CREDIT), now=now)
    money.provide_liquidity(_units(FUND))
    money.issue(money.ASSET)
    base_url = settings.BASE_URL
    key = known["merchant"]
    program = Program(base_url, key_id=key["key_id"], secret=key["secret"])
    terminal.expect("available", program.get("/v1/balance")["available"], "0.00")
    customer = _pays(terminal, known["public"])
    receiver = Receiver()
    receiver.start()
    registered = program.post("/v1/webhooks", {"url": receiver.url, "events": EVENTS}, wanted=201)
    receiver.secret = registered["secret"]
    terminal.say(f"webhooks go to {receiver.url}")
    first, second, refuser = (
        _desk(base_url, f"{name}-{who}", level) for who, level in (("ann", 1), ("ben", 2), ("cho", 1))
    )
    terminal.say(f"{first.username} (level 1), {second.username} (level 2), {refuser.username} (level 1) are logged in")
    return Cast(customer, program, receiver, first, second, refuser)


def _pays(terminal: Terminal, pair: dict[str, str]) -> Customer:
    """A customer gets an address on each chain and pays there."""
    customer = Customer(settings.BASE_URL, user_id="ada", apikey=pair["apikey"], api_secret=pair["api_secret"])
    for network, amount in PAID_IN.items():
        address = customer.addresses[network]
        txid = money.pay(wire.NETWORKS[network], to=address, amount_units=_units(amount))
        terminal.say(f"{customer.user_id} pays {amount} to {address}")
        terminal.say(f"  in {txid}")
    return customer


def _credited(cast: Cast, terminal: Terminal) -> None:
    def look() -> tuple[str, str | None]:
        try:
            available = cast.program.get("/v1/balance")["available"]
        except Away:
            return "away for a moment", None
        return available, available if Decimal(available) >= FUND else None

    found = terminal.wait("available", look, timeout_s=ON_CHAIN_S)
    terminal.expect("what was paid is the merchant's", found, f"{FUND:.2f}")
    terminal.expect(f"and what the merchant owes {cast.customer.user_id}", cast.customer.owed(), f"{FUND:.2f}")


def _desk(base_url: str, username: str, level: int) -> Desk:
    password = randomness.token_urlsafe(18)
    person = approvers.enrol(username, level=level, password=password).person
    key = TOTPDevice.objects.get(user=person).bin_key
    return Desk(base_url, username=username, password=password, key=key)


def _create(cast: Cast, terminal: Terminal, network: str, address: str) -> dict[str, Any]:
    body = {"amount": f"{PAYOUTS[network]:.2f}", "destination_address": address, "network": network}
    key = {"Idempotency-Key": randomness.token_hex(8)}
    made = cast.program.post("/v1/withdrawals", body, wanted=201, **key)
    again = cast.program.post("/v1/withdrawals", body, wanted=201, **key)
    terminal.expect(f"{network} {body['amount']} to {address}", made["status"], "PENDING")
    terminal.expect("asked again with its idempotency key", again["id"], made["id"])
    return made


def _approve(cast: Cast, terminal: Terminal, made: dict[str, dict[str, Any]]) -> None:
    for desk, status in ((cast.first, ("LEVEL1_APPROVED",)), (cast.second, ("APPROVED", "PROCESSING", "COMPLETED"))):
        for withdrawal in made.values():
            desk.approve(_admin_id(withdrawal))
            found = cast.program.get(f"/v1/withdrawals/{withdrawal['id']}")["status"]
            if found not in status:
                raise Differs(f"{withdrawal['id']} is {found} after {desk.username}'s approval")
            terminal.say(f"{desk.username} approved {withdrawal['id']}: {found}")


def _rejected(cast: Cast, terminal: Terminal, address: str) -> None:
    before = cast.program.get("/v1/balance")
    body = {"amount": f"{REFUSED:.2f}", "destination_address": address, "network": "TRC20"}
    made = cast.program.post("/v1/withdrawals", body, wanted=201)
    frozen = Decimal(cast.program.get("/v1/balance")["available"])
    terminal.expect("available while it waits", f"{frozen:.2f}", f"{Decimal(before['available']) - REFUSED:.2f}")
    cast.refuser.reject(_admin_id(made), reason="the invoice does not match")
    terminal.expect("after the refusal", cast.program.get(f"/v1/withdrawals/{made['id']}")["status"], "REJECTED")
    after = cast.program.get("/v1/balance")["available"]
    terminal.expect("available again", after, before["available"])


def _credit(cast: Cast, terminal: Terminal, address: str) -> None:
    before = cast.program.get("/v1/balance")["available"]
    amount = Decimal(before) + CREDIT
    body = {"amount": f"{amount:.2f}", "destination_address": address, "network": "TRC20"}
    made = cast.program.post("/v1/withdrawals", body, wanted=201)
    terminal.expect(f"available after asking for {amount:.2f}", cast.program.get("/v1/balance")["available"], "0.00")
    one_more = cast.program.post("/v1/withdrawals", body | {"amount": "1.01"}, wanted=400)
    terminal.expect("another 1.01, with balance and credit used up", one_more["error"], "insufficient balance")
    cast.refuser.reject(_admin_id(made), reason="over this week's budget")
    terminal.expect("available again", cast.program.get("/v1/balance")["available"], before)
    drawn = cast.program.post("/v1/withdrawals", body, wanted=201)
    cast.program.post(f"/v1/withdrawals/{drawn['id']}/cancel", {}, wanted=200)
    terminal.expect(
        "the whole credit could be drawn again; cancelled", cast.program.get("/v1/balance")["available"], before
    )


def _followed(cast: Cast, terminal: Terminal, network: str, withdrawal: dict[str, Any]) -> None:
    def look() -> tuple[str, dict[str, Any] | None]:
        try:
            seen = cast.program.get(f"/v1/withdrawals/{withdrawal['id']}")
        except Away:
            return "away for a moment", None
        return seen["status"], seen if seen["status"] in ("COMPLETED", "FAILED") else None

    done = terminal.wait(f"{network} {withdrawal['id']}", look, timeout_s=ON_CHAIN_S)
    terminal.expect("ended", done["status"], "COMPLETED")
    terminal.say(f"transaction {done['tx_hash']}")


def _webhooks(cast: Cast, terminal: Terminal, made: dict[str, dict[str, Any]]) -> None:
    completed = {withdrawal["id"] for withdrawal in made.values()}

    def look() -> tuple[str, bool | None]:
        told = {event["data"]["id"] for event in cast.receiver.events if event["event"] == "withdrawal.completed"}
        return f"{len(cast.receiver.events)} events", True if completed <= told else None

    terminal.wait("arrived", look, timeout_s=SOON_S)
    rows = [(event["timestamp"], event["event"], event["data"]["id"]) for event in list(cast.receiver.events)]
    terminal.table(("at", "event", "withdrawal"), rows)
    terminal.expect("with a signature that did not verify", cast.receiver.forged, 0)


def _statement(cast: Cast, terminal: Terminal) -> None:
    page = cast.program.get("/v1/transactions?limit=100")
    entries = list(reversed(page["transactions"]))
    rows = [
        (entry["created_at"], entry["description"], entry["entry_type"], entry["amount"], entry["balance_after"])
        for entry in entries
    ]
    terminal.table(("at", "what", "", "amount", "balance"), rows, right=(3, 4))
    signs = {"CREDIT": 1, "DEBIT": -1}
    total = sum((signs[entry["entry_type"]] * Decimal(entry["amount"]) for entry in entries), Decimal(0))
    balance = cast.program.get("/v1/balance")
    terminal.expect("the statement's sum is the balance", f"{total:.2f}", balance["available"])
    terminal.expect("and that is", balance["available"], f"{FUND - sum(PAYOUTS.values()):.2f}")
    terminal.expect("still frozen", balance["frozen"], "0.00")


def _anchored(terminal: Terminal) -> None:
    def look() -> tuple[str, Anchor | None]:
        newest = Anchor.objects.order_by("-at").first()
        return (f"block {newest.block} is" if newest else "no block yet"), newest

    if settings.SEAL_ANCHOR_NETWORK:
        anchor = terminal.wait(f"anchored on {settings.SEAL_ANCHOR_NETWORK}", look, timeout_s=ON_CHAIN_S)
        block = Block.objects.get(number=anchor.block)
        terminal.say(f"hash {bytes(block.hash).hex()} over {block.events_total} events")
        terminal.say(f"stands in transaction {anchor.txid}")


def _proved(terminal: Terminal) -> None:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "prove"]
    proof = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own command
    for line in (proof.stdout + proof.stderr).splitlines():
        terminal.say(line.strip())
    terminal.expect("prove exits with", proof.returncode, 0)


def _on_chain(network: str, address: str) -> str:
    contract = networks.token(network, money.ASSET).contract
    found = seed.balance_of(money.url(network), networks.network(network).family, contract, address)
    return units.text(money.ASSET, found, 2)


def _fresh_address(network: str) -> str:
    return addresses.from_bytes(network, randomness.token_bytes(20))


def _admin_id(withdrawal: dict[str, Any]) -> str:
    return str(wire.parse_id(withdrawal["id"]))


def _units(amount: Decimal) -> int:
    return units.to_units(money.ASSET, amount)
