"""Walk the main road on the running local default, as outsiders do; exits non-zero when anything differs."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from payouts.demo import story
from payouts.demo.terminal import Differs, Terminal


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        if not settings.IS_LOCAL:
            raise CommandError("the demo runs on the local default only")
        terminal = Terminal()
        try:
            story.tell(terminal)
        except Differs as difference:
            raise CommandError(f"not as told: {difference}") from difference
        terminal.chapter("Everything was as told.")
