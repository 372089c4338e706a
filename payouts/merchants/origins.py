"""Where a call comes from, and whether its merchant lets itself be called from there."""

import ipaddress
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest

from payouts.merchants.models import Merchant

MOST = 50  # networks per merchant


class BadNetwork(ValueError):
    """A text that is no address and no network."""


class TooMany(ValueError):
    """More networks than any merchant needs."""


def address(request: HttpRequest) -> str:
    """The caller's address: the connection's own, or what the last of our proxies says in `X-Forwarded-For`.

    With TRUSTED_PROXIES=n the n-th entry from the right counts, which our outermost proxy wrote; what stands left of it
    anybody may have written.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    if not settings.TRUSTED_PROXIES:
        return peer
    told = [one.strip() for one in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if one.strip()]
    return _plain(told[-settings.TRUSTED_PROXIES]) if len(told) >= settings.TRUSTED_PROXIES else peer


def _plain(text: str) -> str:
    """The address in its normal form; a proxy that writes something else says nothing."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def parse(lines: Sequence[str]) -> list[str]:
    """Networks in their normal form, each once; an address is a network of one.

    Raises: BadNetwork, TooMany.
    """
    found = []
    for line in filter(None, map(str.strip, lines)):
        try:
            network = ipaddress.ip_network(line)
        except ValueError as error:
            raise BadNetwork(f"{line[:60]} is no address or network (such as 203.0.113.0/24)") from error
        found.append(str(network))
    unique = list(dict.fromkeys(found))
    if len(unique) > MOST:
        raise TooMany(f"more than {MOST} networks")
    return unique


def admitted(networks: Sequence[str], caller: str) -> bool:
    """Whether these networks, or nobody's restriction at all, let an address in."""
    if not networks:
        return True
    try:
        at = ipaddress.ip_address(caller)
    except ValueError:
        return False
    at = (isinstance(at, ipaddress.IPv6Address) and at.ipv4_mapped) or at
    return any(at in ipaddress.ip_network(network) for network in networks)


def admits(merchant: Merchant, request: HttpRequest) -> bool:
    """Whether the merchant may be called from where this request comes."""
    return not merchant.allowed_networks or admitted(merchant.allowed_networks, address(request))
