"""Where a call comes from, and whether its merchant lets itself be called from there."""

import ipaddress
from collections.abc import Sequence

from django.http import HttpRequest

from payouts.merchants.models import Merchant

MOST = 50  # networks per merchant


class BadNetwork(ValueError):
    """A text that is no address and no network."""


class TooMany(ValueError):
    """More networks than any merchant needs."""


def address(request: HttpRequest) -> str:
    """The caller's address, as config/proxies.py has settled it."""
    return str(request.META.get("REMOTE_ADDR", ""))


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


def restrict(merchant: Merchant, networks: Sequence[str]) -> None:
    """Let the merchant be called from these networks alone; from anywhere where there is none."""
    Merchant.objects.filter(id=merchant.id).update(allowed_networks=list(networks))
