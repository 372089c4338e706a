"""What the five documents state (S), line by line, and the tests that hold each line: `make conformance`.

A test names what it holds with `@pytest.mark.conformance("<api> <S|N|R> <line>")`. Every stated line of an API that is
built must have a test; what neighbouring pages say (N) and what we resolved (R) is listed as the tests name it.
"""

import importlib
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import django

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("S", "N", "R")

# fmt: off
STATED: Mapping[str, tuple[str, ...]] = {
    "extraction": (
        "POST /api/v1/extraction/to-usdt with a JSON body and a bearer token",
        "amount is a required number",
        "address is optional, for stores only",
        "GET /api/v1/account/{id}: balance and details of the linked account",
        "callers: a store with a QR code, or a supervisor created by that store with buyUsdtActive",
        "buyUsdtActive is a flag that the owning store sets",
        "no QR code: rejected",
        "the QR code links to an account id",
        "the QR code stores the last address used in an extraction",
        "a supervisor's extraction goes to the QR code's address, which must be set",
        "the balance pays first, the QR code's credit the shortfall, and its available limit goes down",
        "neither balance nor credit suffices: rejected",
        "the credit limit is managed by the platform, audited",
        "the credit limit cannot be set through the API",
        "created: deducted at once; rejected: restored automatically",
    ),
    "public": (
        "POST /public/user/withdrawal/create answers {status, transactionHash, fee: 2, netAmount: 48} for 50",
        "Always auto-approves: a create waits for nobody, whatever the auto settings say",
        "a create answers completed with its transactionHash when the worker got there",
        "userId, walletAddress, amount and currencyType are required, callbackUrl is not",
        "callbackUrl is the webhook URL for this withdrawal",
        "the user must have a generated wallet",
        "user and merchant balance must cover the amount: Insufficient user wallet balance",
        "Insufficient merchant balance",
        "minimum 0.1 USDT: Minimum withdrawal amount is greater than 0.1 USDT",
        "the net amount after the fee must be positive",
        "TRC20 starts with T, ERC20 with 0x: Invalid wallet address format",
        "fees are flat: 2 on USDT-TRC20, 2.5 on USDT-ERC20",
        "withdrawalFeePayer is merchant or user",
        "GET /public/withdrawal-requests?status=pending&page=1&limit=20",
        "apikey alone opens the reads and the create; approve and reject need x-api-secret: 401",
        "approve with {} triggers the execution immediately",
        "reject restores the pending amount to the merchant balance",
        "400 Only pending withdrawals can be approved",
        "autoWithdraw is false and maxAutoWithdrawAmount 100 by default",
        "enabled and under the threshold: 1 webhook; over it: 2",
        "auto-approved: 1 webhook, completed or failed, type withdrawal",
        "manual approval: 2 webhooks, pending when created, then completed, failed or rejected",
        "GET /public/payout/get?id= tells of any payout or withdrawal",
        "POST /payout/create is disabled",
        "POST /public/user/withdrawal/create: 30 per 15 min",
        "GET /public/withdrawal-requests: 100 per 15 min",
        "POST …/{id}/approve: 30 per 15 min",
        "POST …/{id}/reject: 30 per 15 min",
        "GET /public/payout/get: 100 per 15 min",
    ),
    "merchant": (
        "POST /v1/withdrawals answers 201 and the Withdrawal object",
        "Authorization: Bearer {key}:{ts}:{sig} on every call",
        "amount is a decimal string, positive and not more than what is available",
        "destination_address is valid for the network",
        "network is TRC20 or ERC20",
        "the amount is frozen at once",
        "an amount of 500.00 costs a fee of 1.00",
        "GET /v1/withdrawals answers {withdrawals, total}; items omit merchant_id",
        "limit is 20 by default and 100 at most, offset 0 by default",
        "GET /v1/withdrawals/{id} answers the Withdrawal object, or 404",
        "PENDING, PENDING_REVIEW, LEVEL1_APPROVED, APPROVED, PROCESSING, COMPLETED, FAILED, CANCELLED, REJECTED",
        "COMPLETED is confirmed on chain, and tx_hash is set",
        "FAILED and REJECTED return the funds to the balance",
        "CANCELLED is before processing",
        "withdrawals are reviewed by people: a first approver, then a second",
        "the webhook withdrawal.completed comes when the transfer is confirmed on chain",
    ),
    "invoice": (
        "POST /v2/invoice/api/out/create with Authorization: Token <key>",
        "a separate key must be used: the shop's does not withdraw, and this one does nothing else",
        "the key is shown once",
        "minimum interval between requests: 12 seconds",
        "currency_code, to_address and amount are required",
        "currency_code is one of the 40 codes, verbatim",
        "amount: float in that currency, to its last place",
        "answer: status success; result invoice_id INV-…, status created, currency, amount",
        "invoice_id: unique, with the INV prefix",
    ),
    "tenant": (
        "POST /o/token/ trades client credentials and a scope for a token, and is public",
        "GET and POST /o/apps/, DELETE /o/apps/{id}/: read, write",
        "GET /currencies/ {currencies: [codes]}: read, write",
        "GET /currencies/ full, with min_max and include_usd (which needs min_max): 8-place amounts, 2-place USD",
        "GET /currencies/?withdrawal=true lists withdrawal currencies",
        "GET /rates/ {currency_from, currency_to, amount, estimated_amount, rate} in numbers: read",
        "GET /rates/ amount 1, currency_from USD by default, currency_to required",
        "GET /rates/ fee_percentage and is_fee_paid_by_user",
        "GET /rates/?full=true adds fee_percentage, fee_amount and timestamp",
        "POST /payments/ with the document's body: read, write",
        "GET /payments/ limit 1 to 100, 20 by default; status, currency, blockchain, token",
        "POST /payments/status/ by transaction_id",
        "GET /payments/min-amount/?currency= {currency, min_amount, max_amount, blockchain, token} in numbers",
        "POST /withdrawal/ with amount and currency",
        "POST /withdrawal/ with price_amount, price_currency, blockchain and token",
        "GET /withdrawal/ filters status, blockchain, token, custom_id, dates; limit, offset, sort",
        "GET /withdrawal/{withdrawal_id}/",
        "POST /withdrawal/status/ by withdrawal_id",
        "POST /withdrawal/validate-address/ needs one of currency, blockchain, type",
        "POST /withdrawal/fee-estimate/",
        "POST /withdrawal/estimate/: 100 costs 1.5 = platform 1 + network 0.5, 98.5 is left, in 8 places",
        "POST /withdrawal/min-amount/",
        "GET /withdrawal/available-currencies/ lists those with a positive balance",
        "GET /user/balances/ {account, sub_accounts, statistics}: read, write",
        "GET /user/balances/history/ currency, type, limit 50, offset: read",
        "GET /wallets/ {accounts, total}",
        "POST /wallets/ {name, external_id}",
        "GET /wallets/{id}/ with balances",
        "POST /wallets/balances/ by wallet_id or external_id",
        "POST /wallets/transfer-to-user/ answers 202 accepted with a transfer_id; asynchronous",
        "POST /wallets/withdraw-to-master/ answers 202; asynchronous",
        "POST /wallets/transfer-history/ of one wallet, by status, transfer_type, currency; limit, offset",
        "GET /user/me/ with webhook_secret_masked: read, write",
        "POST /user/webhooks/ shows the secret the first time, with the document's message: write",
        "GET /user/fees/: admin",
        "GET /status/ {status: ok}",
    ),
    "dashboard": (
        "payouts are made in the dashboard alone, with a one-time code",
        "autoWithdraw and maxAutoWithdrawAmount are set in Dashboard > Settings",
        "the withdrawal key is made in the Security section",
    ),
}
# fmt: on
Holders = Mapping[str, Mapping[tuple[str, str], list[str]]]  # api → (kind, line) → tests


def holders() -> Holders:
    """Which tests say that they hold which line."""
    found: dict[str, dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for test, text in _marked(importlib.import_module(name)):
            api, kind, line = text.split(" ", 2)
            tests = found[api][kind, line]
            where = f"{path.relative_to(ROOT / 'tests')}::{test}"
            tests += [where] if where not in tests else []
    return found


def _marked(module: ModuleType) -> Iterator[tuple[str, str]]:
    for name, function in vars(module).items():
        if name.startswith("test_") and getattr(function, "__module__", "") == module.__name__:
            for mark in getattr(function, "pytestmark", ()):
                yield from ((name, text) for text in _texts(mark))


def _texts(mark: Any) -> Iterator[str]:
    if mark.name == "conformance":
        yield mark.args[0]
    elif mark.name == "parametrize":  # single cases have marks of their own
        cases = mark.args[1] if len(mark.args) > 1 else mark.kwargs.get("argvalues", ())
        for case in cases:
            for inner in getattr(case, "marks", ()):
                yield from _texts(inner)


def built() -> set[str]:
    """The APIs that are served."""
    from config import urls  # only once Django is set up

    return set(urls.APIS)


def without_test(found: Holders) -> list[str]:
    """The stated lines of built APIs that no test holds."""
    return [
        f"{api}: {line}"
        for api in STATED
        if api in built()
        for line in STATED[api]
        if not found.get(api, {}).get(("S", line))
    ]


def table(found: Holders) -> Iterator[str]:
    """The whole list, as lines of text."""
    for api, stated in STATED.items():
        yield f"\n{api}" + ("" if api in built() else " – not built")
        lines: dict[tuple[str, str], list[str]] = {("S", line): [] for line in stated}
        lines |= found.get(api, {})
        for (kind, line), tests in sorted(lines.items(), key=lambda one: KINDS.index(one[0][0])):
            yield f"  {kind}  {line}"
            nobody = "      no test" if api in built() else "      –"
            yield from (f"      {test}" for test in tests) if tests else (nobody,)


def main() -> int:
    """Print the table; 1 when a built API's stated line has no test."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    found = holders()
    print(*table(found), sep="\n")  # noqa: T201 - this is what the command is for
    missing = without_test(found)
    held = sum(len(STATED[api]) for api in STATED if api in built()) - len(missing)
    print(f"\n{held} stated lines are held by tests, {len(missing)} are not", *missing, sep="\n  ")  # noqa: T201 - as above
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
