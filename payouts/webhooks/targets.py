"""Which network addresses webhooks may go to: public ones, by every way an address can be written."""

import ipaddress
from ipaddress import IPv4Address, IPv6Address

# What `ipaddress` calls global although it leads, or may lead, back inside: translation, tunnels, old site-locals.
INWARD = tuple(
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local use
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "::/96",  # IPv4-compatible
        "fec0::/10",  # site-local
        "5f00::/16",  # segment routing
        "192.88.99.0/24",  # 6to4 relays
        "192.0.0.0/24",  # protocol assignments
    )
)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether a webhook may be sent to this address in production."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in network for network in INWARD)


def is_allowed(host: str, *, loopback: bool) -> bool:
    """Whether a literal address (brackets or not) may be called; names are for the resolver to turn into one.

    Raises: ValueError when `host` is no address.
    """
    address = ipaddress.ip_address(host.strip("[]"))
    return is_public(address) or (loopback and address.is_loopback)
