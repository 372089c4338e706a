"""Makes a merchant ready for `make chaos`: `python -m tests.chaos.stage MERCHANT KEYS` prints so many API keys."""

import json
import os
import sys

import django


def main(merchant_id: str, number: int) -> None:
    """Nobody approves what the merchant withdraws, and one key's rate limit is not the house's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from payouts.merchants import keys
    from payouts.merchants.models import Merchant
    from payouts.withdrawals.models import Approval
    from tests import make

    merchant = Merchant.objects.get(id=merchant_id)
    make.policy(merchant, Approval.NONE)
    issued = [keys.issue(merchant, api="merchant") for _ in range(number)]
    sys.stdout.write(json.dumps([{"key_id": one.key.key_id, "secret": one.secret} for one in issued]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
