"""Makes withdrawals that policy alone approves: `python -m tests.flows.run MERCHANT NETWORK AMOUNT ADDRESS…`."""

import os
import sys

import django


def main(merchant_id: str, network: str, amount: str, *addresses: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from payouts.merchants.models import Merchant
    from payouts.withdrawals.models import Approval
    from tests import make

    merchant = Merchant.objects.get(id=merchant_id)
    make.policy(merchant, Approval.NONE)
    for address in addresses:
        make.withdrawal(merchant, amount, network=network, destination=address)


if __name__ == "__main__":
    main(*sys.argv[1:])
