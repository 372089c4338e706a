"""What Django's check says about the chain room's settings before a process serves or works."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from chain import addresses, caps, networks


@register()
def anchors_have_a_network(**_: Any) -> list[CheckMessage]:
    """Seals are made public on an EVM network that has endpoints or nowhere, and with a pause between two of them."""
    name, found = settings.SEAL_ANCHOR_NETWORK, list[CheckMessage]()
    able = [row.name for row in networks.configured() if row.family == "evm"]
    if name and name not in able:
        row = networks.NETWORKS.get(name)
        why = "is no network of ours" if row is None else f"is a {row.family} network, whose wallets number nothing"
        if row and row.family == "evm":
            why = f"has no endpoints: set {row.urls_setting}"
        hint = f"leave it empty, or one of: {', '.join(able)}"
        found.append(Error(f"SEAL_ANCHOR_NETWORK={name} {why}", hint=hint, id="chain.E001"))
    if settings.SEAL_ANCHOR_EVERY_S < 1:
        found.append(Error("SEAL_ANCHOR_EVERY_S is at least 1 (seconds)", id="chain.E002"))
    return found


@register()
def the_signer_has_its_caps(**_: Any) -> list[CheckMessage]:
    """Caps that can be read; production's signer never works without, nor with some for assets that nobody named."""
    try:
        table = caps.parsed(settings.SIGNER_CAPS)
    except caps.BadCaps as wrong:
        return [Error(str(wrong), hint="see chain/caps.py", id="chain.E003")]
    if settings.IS_LOCAL or settings.ROLE != "signer":
        return []
    if not table or caps.ANY in table:
        return [Error("SIGNER_CAPS names each asset that may be paid, with its limits", id="chain.E003")]
    return []


@register()
def batch_contracts_can_be_called(**_: Any) -> list[CheckMessage]:
    """Each is a checksummed address on an EVM network of ours."""
    found = list[CheckMessage]()
    for name, contract in settings.BATCH_CONTRACTS.items():
        row = networks.NETWORKS.get(name)
        if row is None or row.family != "evm":
            found.append(Error(f"BATCH_CONTRACTS names {name}, which is no EVM network of ours", id="chain.E004"))
        elif not _is_checksummed(name, contract):
            found.append(Error(f"BATCH_CONTRACTS: {contract!r} is no checksummed address", id="chain.E004"))
    return found


def _is_checksummed(network: str, text: object) -> bool:
    try:
        return addresses.normalise(network, str(text)) == text
    except addresses.BadAddress:
        return False
