"""One merchant as all the APIs see it: the credentials that open each of them, and what exists there by its id."""

from collections.abc import Mapping
from dataclasses import dataclass

from payouts.merchants import pairs, tokens
from payouts.merchants.models import Merchant
from tests import make
from tests.api import invoices, shops, speaker, tenants, users

HOOK = {"url": "https://hooks.example/in", "events": ["withdrawal.completed"]}


@dataclass(frozen=True, slots=True)
class Side:
    """What one merchant's programs and people hold; `known` by the names of the routes' parameters."""

    merchant: Merchant
    headers: Mapping[str, Mapping[str, str]]
    known: Mapping[str, Mapping[str, str]]


def side(merchant: Merchant, *, largest: str = "100000", times: int = 1) -> Side:
    """All of it, funded: the merchant's balance, a store's account, a user's wallet."""
    users.enrol_keys()
    wallet = users.wallet(merchant, f"{users.USER} of {merchant.name}")
    shop = shops.shop(of=merchant)
    for _ in range(times):
        make.deposit(merchant, largest)
        users.deposit(wallet, largest)
        shop.deposit(make.usdt(largest))
    invoices.deposit(merchant, "ETH", "1000")
    program, pair = speaker.program(merchant), pairs.issue(merchant, api="public")
    public = users.Program(merchant, pair.apikey, pair.api_secret)
    assert shop.caller.extract(amount=1).status_code == 201
    clerk = shop.supervisor().get("/supervisor/me").json()["id"]
    assert public.post("/public/webhook/url", {"url": HOOK["url"]}).status_code == 200
    asked = users.data(public.request(userId=wallet.user_id, amount=10), status=201)["id"]
    tenant = tenants.program(of=merchant)
    headers: dict[str, Mapping[str, str]] = {
        "merchant": {"Authorization": program.bearer()},
        "extraction": {"Authorization": f"Bearer {shop.caller.tokens['accessToken']}"},
        "public": {"apikey": pair.apikey, "x-api-secret": pair.api_secret},
        "invoice": {"Authorization": f"Token {invoices.issue(merchant, tokens.WITHDRAWAL)}"},
        **{f"tenant, {scope}": _bearer(tenant, scope) for scope in tenants.SCOPED},
        "invoice, shop": {"Authorization": f"Token {invoices.issue(merchant, tokens.SHOP)}"},
    }
    hook = program.post("/v1/webhooks", HOOK).json()["id"]
    known: dict[str, Mapping[str, str]] = {
        "merchant": {
            "public_id": program.post("/v1/withdrawals", speaker.CREATE | {"amount": "10"}).json()["id"],
            "webhook_id": hook,
            "delivery_id": program.post(f"/v1/webhooks/{hook}/test").json()["id"],
            "run_id": program.post(
                "/v1/withdrawals/batch", {"withdrawals": [speaker.CREATE | {"amount": "10"}]}
            ).json()["id"],
        },
        "extraction": {"supervisor_id": clerk, "account_id": str(shop.qr_code.account)},
        "public": {"public_id": asked, "id": asked, "userId": wallet.user_id},
        "invoice": {},
        "tenant": {
            **_wallet(tenant),
            "transaction_id": tenants.told(tenant.post("/payments/", tenants.PAYMENT), status=201)["transaction_id"],
            "withdrawal_id": tenants.told(tenant.create(amount=10), status=201)["id"],
            "app_id": str(tenants.told(tenant.post("/o/apps/", {"name": "other"}), status=201)["id"]),
        },
    }
    return Side(merchant, headers, known)


def _bearer(program: tenants.Program, scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {program.with_scope(scope).token}"}


def _wallet(program: tenants.Program) -> dict[str, str]:
    made = tenants.told(program.post("/wallets/", {"name": "Wallet"}), status=201)
    return {"number": str(made["id"]), "wallet_id": made["wallet_id"]}
