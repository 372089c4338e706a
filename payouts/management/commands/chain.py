"""Operate the payments: what stands where, stop and start lanes, one withdrawal's whole way, check all proofs again."""

import getpass
import json
import time
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chain import addresses, alarms, inspection, networks, pausing, transfers
from payouts import operating
from payouts.api import dialects

PROGRESS_EVERY_S = 2.0


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        status = verbs.add_parser("status", help="networks, lanes, open payments, alarms")
        status.add_argument("--network", choices=sorted(networks.NETWORKS))
        for verb in ("pause", "resume"):
            stop = verbs.add_parser(verb, help=f"{verb} a network, or one lane of it")
            stop.add_argument("network", choices=sorted(networks.NETWORKS))
            stop.add_argument("lane", nargs="?", default="", help="a wallet's address; without it the whole network")
            stop.add_argument("--reason", required=True)
            stop.add_argument("--by", default=getpass.getuser(), help="who; without it the system's user")
        inspect = verbs.add_parser("inspect", help="one withdrawal: attempts, broadcasts, verdict, proof")
        inspect.add_argument("withdrawal", help="its id as any API gave it")
        giveup = verbs.add_parser("giveup", help="never pay what cannot be signed: refunded when its nonce is gone")
        giveup.add_argument("withdrawal", help="its id as any API gave it")
        giveup.add_argument("--reason", required=True)
        giveup.add_argument("--by", default=getpass.getuser(), help="who; without it the system's user")
        audit = verbs.add_parser("audit", help="check the proof of everything completed against a node")
        audit.add_argument("--network", choices=sorted(networks.NETWORKS))
        audit.add_argument("--rpc", default="", help="the node to ask, of the network that is named with it")
        audit.add_argument("--since", help="YYYY-MM-DD: completed then or later")
        for sub in (status, inspect, audit):
            _takes_json(sub)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        verbs: dict[str, Callable[[dict[str, Any]], None]] = {
            "status": self.status,
            "pause": self.stop,
            "resume": self.stop,
            "inspect": self.inspect,
            "giveup": self.give_up,
            "audit": self.audit,
        }
        verbs[options["verb"]](options)

    def status(self, options: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        names = [options["network"]] if options["network"] else [row.name for row in networks.configured()]
        said = {
            "networks": [inspection.network(name, now=now) for name in names],
            "alarms": [
                {"kind": alarm.kind, "subject": alarm.subject, "since": alarm.raised_at, "text": alarm.text}
                for alarm in alarms.standing()
            ],
        }
        self._say(said, as_json=options["json"])

    def stop(self, options: dict[str, Any]) -> None:
        do = pausing.pause if options["verb"] == "pause" else operating.resume
        network, lane = options["network"], options["lane"]
        try:
            address = addresses.normalise(network, lane) if lane else ""
            who = {"by": options["by"], "reason": options["reason"], "now": datetime.now(UTC)}
            pause = do(network, address=address, **who)
        except (addresses.BadAddress, pausing.NoSuchLane, pausing.NotPaused) as error:
            raise CommandError(str(error)) from error
        what = f"{network} {lane}".strip()
        if options["verb"] == "pause":
            self.stdout.write(f"{what}: paused since {pause.at:%Y-%m-%d %H:%M:%S} by {pause.by}: {pause.reason}")
        else:
            self.stdout.write(f"{what}: resumed")

    def inspect(self, options: dict[str, Any]) -> None:
        withdrawal_id = dialects.withdrawal_id(options["withdrawal"])
        found = operating.inspect(withdrawal_id) if withdrawal_id else None
        if found is None:
            raise CommandError(f"no withdrawal {options['withdrawal']}")
        self._say(found, as_json=options["json"])

    def give_up(self, options: dict[str, Any]) -> None:
        withdrawal_id = dialects.withdrawal_id(options["withdrawal"])
        if withdrawal_id is None:
            raise CommandError(f"no withdrawal {options['withdrawal']}")
        try:
            operating.give_up(withdrawal_id, by=options["by"], reason=options["reason"], now=datetime.now(UTC))
        except transfers.NotToGiveUp as error:
            raise CommandError(str(error)) from error
        self.stdout.write("given up: it is refunded when its number is used up at final depth")

    def audit(self, options: dict[str, Any]) -> None:
        if options["rpc"] and not options["network"]:
            raise CommandError("--rpc is one network's node: name it with --network")
        names = [options["network"]] if options["network"] else [row.name for row in networks.configured()]
        found = operating.audit_completed(
            names,
            urls=[options["rpc"]] if options["rpc"] else [],
            since=_day(options["since"]),
            now=datetime.now(UTC),
            progress=self._progress(),
        )
        said = {"checked": found.checked, "problems": found.problems, "not_checked": found.unread, "ok": found.ok}
        self._say(said, as_json=options["json"])
        if not found.ok:
            raise CommandError(f"{len(found.problems)} problems, {len(found.unread)} not checked")

    def _progress(self) -> Callable[[int, int], None]:
        told_s = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal told_s
            if time.monotonic() - told_s >= PROGRESS_EVERY_S:
                told_s = time.monotonic()
                self.stderr.write(f"  {done} of {total}")

        return tell

    def _say(self, said: Any, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(said, indent=2, default=str))
        else:
            self._lines(said, 0)

    def _lines(self, said: Any, depth: int) -> None:
        """Values as indented lines; what is empty is left out."""
        pad = "  " * depth
        pairs = said.items() if isinstance(said, dict) else [("-", one) for one in said]
        for name, value in pairs:
            if isinstance(value, dict | list):
                self.stdout.write(f"{pad}{name}" + ("" if value else ": none"))
                self._lines(value, depth + 1)
            elif value not in (None, ""):
                self.stdout.write(f"{pad}{name}: {value}")


def _takes_json(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _day(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) if text else None
    except ValueError as wrong:
        raise CommandError(f"--since takes YYYY-MM-DD, not {text!r}") from wrong
