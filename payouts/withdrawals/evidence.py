"""A person's yes, sealed under a key that the web process and the signer alone have.

Whoever may write to the database can add a row that says "approved". Without APPROVAL_KEY, which neither the database
nor the broker nor a worker holds, he cannot add its evidence, and the signer believes no row without it. What this does
not stop is the web process itself in a stranger's hands: it holds the key, since it is what people approve with. Then
the signer's caps remain, see chain/caps.py.
"""

import hashlib
import hmac
import json

from django.conf import settings

from payouts.withdrawals.models import StepTaken

VERBS = ("approve_l1", "approve_l2", "merchant_approve")  # what somebody says, in place of policy or a sweep


class KeyMissing(Exception):
    """This process can neither make nor check evidence."""


def of(step: StepTaken) -> bytes:
    """The seal over who said yes to what: withdrawal, verb, person, actor and payload.

    Raises: KeyMissing.
    """
    if not settings.APPROVAL_KEY:
        raise KeyMissing(f"a {settings.ROLE} process has no APPROVAL_KEY")
    said = [str(step.withdrawal_id), step.verb, step.person_id, step.actor, bytes(step.payload_hash).hex()]
    return hmac.digest(settings.APPROVAL_KEY, json.dumps(said).encode(), hashlib.sha256)


def holds(step: StepTaken) -> bool:
    """Whether the step carries its evidence.

    Raises: KeyMissing.
    """
    return hmac.compare_digest(bytes(step.evidence), of(step))
