"""Make (once) a funded test-mode merchant on the local default and print every credential; again prints the same."""

import json
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain import gateway, networks, units
from chain.devnet import seed
from ledger import posting
from payouts.merchants.models import Merchant
from payouts.sandbox import kept, money, people, public, store

DEFAULT_FUND = "1000000"
REFUSALS = (
    gateway.ChainError,
    posting.LedgerRefused,
    money.DoesNotAgree,
    seed.SeedFailed,
    kept.BadName,
    public.BadSetting,
)


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
        parser.add_argument("--name", default="default", help="another name is another merchant")
        parser.add_argument("--fund", help=f"set its USDT balances (the first time {DEFAULT_FUND})")
        parser.add_argument("--credit", help="set the QR code's credit line (the first time 0)")
        parser.add_argument(
            "--bare", action="store_true", help="when it is made: without the QR code and the tenant's webhook"
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="what is set in Dashboard > Settings: autoWithdraw, maxAutoWithdrawAmount, withdrawalFeePayer",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        if not settings.IS_LOCAL:
            raise CommandError("the sandbox exists on the local default only")
        now = datetime.now(UTC)
        try:
            wallets = money.provide_wallets()
            merchant, known, is_new = people.merchant(options["name"], bare=options["bare"], now=now)
            fund = options["fund"] or (DEFAULT_FUND if is_new else None)
            if fund is not None:
                owners = [merchant.id, *store.accounts(merchant)]
                money.set_balances(merchant, owners=owners, fund_units=_units(fund))
                public.set_balance(merchant, fund_units=_units(fund))
            public.set_up(merchant, options["set"])
            if options["credit"] is not None:
                _set_credit(merchant, _units(options["credit"]), now=now)
            if is_new:
                money.set_others(merchant)
            money.issue()
            money.agree()
        except REFUSALS as error:
            raise CommandError(str(error)) from error
        chains = {
            name: {
                "rpc": money.url(name),
                **{asset.lower(): token.contract for asset, token in networks.network(name).tokens.items()},
                "hot_wallet": wallet.address,
            }
            for name, wallet in wallets.items()
        }
        told = {"base_url": settings.BASE_URL, **known, "approvers": people.two_approvers(), "chains": chains}
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else _table(told))


def _set_credit(merchant: Merchant, limit_units: int, *, now: datetime) -> None:
    """Raises: CommandError."""
    accounts = store.accounts(merchant)
    if not accounts:
        raise CommandError("this sandbox has no QR code, so there is no credit line to set")
    for account in accounts:
        money.set_credit(merchant, owner=account, limit_units=limit_units, now=now)


def _units(text: str) -> int:
    """Raises: CommandError."""
    try:
        amount = Decimal(text)
        return units.to_units(money.ASSET, amount) if amount else 0
    except (InvalidOperation, units.BadAmount) as error:
        raise CommandError(f"{text!r} is no amount of {money.ASSET}") from error


def _table(told: dict[str, Any], prefix: str = "") -> str:
    lines = []
    for key, value in told.items():
        if isinstance(value, dict):
            lines.append(_table(value, f"{prefix}{key}."))
        else:
            lines.append(f"{prefix + key:<32} {value}")
    return "\n".join(lines)
