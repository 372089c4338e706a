"""Reject a withdrawal, as the admin's button does, by the same service."""

from typing import Any

from django.core.management.base import CommandParser

from payouts.management.decision import DecisionCommand
from payouts.withdrawals import decisions


class Command(DecisionCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="rejected by an approver", help="what the merchant reads")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        self.decide(
            "reject",
            options,
            lambda withdrawal_id, person, challenge_id, now: decisions.reject(
                withdrawal_id,
                person=person,
                challenge_id=challenge_id,
                code=options["otp"],
                reason=options["reason"],
                now=now,
            ),
        )
