"""What `approve` and `reject` share: finding the withdrawal and the person, and saying why it was refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain import addresses
from payouts.api import dialects
from payouts.merchants import otp
from payouts.withdrawals import advance, decisions, steps
from payouts.withdrawals.models import Withdrawal

REFUSALS = (
    addresses.BadAddress,
    advance.SameApprover,
    decisions.NotAnApprover,
    decisions.ReasonMissing,
    otp.OtpRefused,
    steps.StepRefused,
)
Decide = Callable[[UUID, User, UUID, datetime], Withdrawal]


class DecisionCommand(BaseCommand):
    """A command that takes one decision of one person."""

    def add_arguments(self, parser: CommandParser) -> None:
        """The withdrawal, the person and the code."""
        parser.add_argument("withdrawal", help="the id, as an API gave it")
        parser.add_argument("--as", dest="username", required=True, help="who decides")
        parser.add_argument("--otp", required=True, help="this person's one-time code")

    def decide(self, verb: str, options: dict[str, Any], do: Decide) -> None:
        """Take the decision, or end with the reason why not.

        Raises: CommandError.
        """
        now = datetime.now(UTC)
        withdrawal_id = dialects.withdrawal_id(options["withdrawal"])
        withdrawal = Withdrawal.objects.filter(id=withdrawal_id).first() if withdrawal_id else None
        if withdrawal is None:
            raise CommandError(f"there is no withdrawal {options['withdrawal']}")
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"there is no user {options['username']}")
        with _told():
            challenge = decisions.show(withdrawal, verb, person=person, now=now)
            withdrawal = do(withdrawal.id, person, challenge.id, now)
        self.stdout.write(f"{options['withdrawal']} is {withdrawal.status}")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except REFUSALS as refusal:
        raise CommandError(str(refusal)) from refusal
