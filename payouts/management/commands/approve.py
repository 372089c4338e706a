"""Approve a withdrawal at one level, as the admin's button does, by the same service."""

from typing import Any

from django.core.management.base import CommandParser

from payouts.management.decision import DecisionCommand
from payouts.withdrawals import decisions


class Command(DecisionCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--level", type=int, choices=sorted(decisions.PERMISSIONS), required=True)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        level = options["level"]
        self.decide(
            f"approve_l{level}",
            options,
            lambda withdrawal_id, person, challenge_id, now: decisions.approve(
                withdrawal_id, level=level, person=person, challenge_id=challenge_id, code=options["otp"], now=now
            ),
        )
