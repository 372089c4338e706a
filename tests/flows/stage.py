"""Makes an approved withdrawal and prints its id: `python -m tests.flows.stage MERCHANT NETWORK ADDRESS AMOUNT`."""

import os
import sys

import django


def main(merchant_id: str, network: str, address: str, amount: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from payouts.api import dialects
    from payouts.merchants.models import Merchant
    from tests import make

    merchant = Merchant.objects.get(id=merchant_id)
    made = make.approved(merchant, amount, network=network, destination=address)
    sys.stdout.write(dialects.DIALECTS["merchant"].public_id(made.id))


if __name__ == "__main__":
    main(*sys.argv[1:])
