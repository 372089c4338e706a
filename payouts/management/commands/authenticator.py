"""Enrol a person's authenticator: prints a QR code to scan, once; the login and every approval ask for its codes."""

import io
from typing import Any

import qrcode
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--replace", action="store_true", help="the old authenticator is lost: it stops working")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - the framework's signature
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"there is no user {options['username']}")
        with transaction.atomic():
            old = TOTPDevice.objects.select_for_update().filter(user=person)
            if old.exists() and not options["replace"]:
                raise CommandError(f"{person} has an authenticator; --replace puts a new one in its place")
            old.delete()
            device = TOTPDevice.objects.create(user=person, name="authenticator", confirmed=True)
        picture = io.StringIO()
        code = qrcode.QRCode()
        code.add_data(device.config_url)
        code.print_ascii(out=picture)
        self.stdout.write(picture.getvalue())
        self.stdout.write(device.config_url)
