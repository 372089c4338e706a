"""People's authenticators: one that counts per person, enrolled by scanning, and recovery codes for when it is lost."""

import base64
import secrets as randomness

import qrcode
from django.contrib.auth.models import User
from django.db import transaction
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathImage

NAME = "authenticator"
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # without what is read as something else
RECOVERY_LENGTH = 12  # of 31 letters: 59 bits each


def of(person: User) -> TOTPDevice | None:
    """The authenticator that this person's codes are checked with, or None."""
    device: TOTPDevice | None = TOTPDevice.objects.filter(user=person, confirmed=True).order_by("id").first()
    return device


def enrol(person: User) -> TOTPDevice:
    """Give somebody an authenticator whose secret is handed over by other means than a screen of theirs."""
    return TOTPDevice.objects.create(user=person, name=NAME, confirmed=True)


def draft(person: User) -> TOTPDevice:
    """The authenticator that is being enrolled; the same one until it is confirmed, however often a page is loaded."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        found: TOTPDevice | None = TOTPDevice.objects.filter(user=person, confirmed=False).order_by("id").first()
        return found or TOTPDevice.objects.create(user=person, name=NAME, confirmed=False)


def put_in_force(device: TOTPDevice) -> None:
    """Let the drafted authenticator, whose code was right, count from now on and no other."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=device.user_id)
        TOTPDevice.objects.filter(user=device.user_id).exclude(pk=device.pk).delete()
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)


def secret(device: TOTPDevice) -> str:
    """The device's secret as authenticator programs take it: base32."""
    return base64.b32encode(device.bin_key).decode()


def picture(device: TOTPDevice) -> str:
    """The QR code to scan, as the address of an image that holds it itself."""
    code = qrcode.QRCode(border=2)
    code.add_data(device.config_url)
    drawn: bytes = code.make_image(image_factory=SvgPathImage).to_string()
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn).decode()}"


def new_recovery_codes(person: User) -> list[str]:
    """Make recovery codes in the place of those there were; they are shown this once, and each works once."""
    codes = [
        "".join(randomness.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)
    ]
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        StaticDevice.objects.filter(user=person).delete()
        device = StaticDevice.objects.create(user=person, name="recovery codes", confirmed=True)
        StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def recovery(person: User) -> Device | None:
    """The device behind somebody's recovery codes, or None."""
    device: Device | None = StaticDevice.objects.filter(user=person, confirmed=True).order_by("id").first()
    return device


def recovery_codes_left(person: User) -> int:
    """How many recovery codes have not been used yet."""
    left: int = StaticToken.objects.filter(device__user=person).count()
    return left
