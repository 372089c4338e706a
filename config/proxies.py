"""Who calls behind proxies: the address that a trusted proxy names, and nobody's word else."""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from granian.utils.proxies import wrap_wsgi_with_proxy_headers

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
PEER = "sluice.peer"


def behind(application: Application, *, trusted: Sequence[str]) -> Application:
    """The application; REMOTE_ADDR is the client where the peer is one of the `trusted` addresses or networks.

    That is the last in X-Forwarded-For who is no proxy himself: what stands before it anybody may have written. A word
    that is no address leaves the peer's own, since an application that looks for one would trip over it.
    """
    if not trusted:
        return application

    def settled(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not _is_address(environ["REMOTE_ADDR"]):
            environ["REMOTE_ADDR"] = environ[PEER]
        return application(environ, start_response)

    believing = wrap_wsgi_with_proxy_headers(settled, trusted_hosts=[*trusted])

    def noted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[PEER] = environ.get("REMOTE_ADDR", "")
        answer: Iterable[bytes] = believing(environ, start_response)
        return answer

    return noted


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
