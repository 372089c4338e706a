"""Webhooks go to public addresses and nowhere else: not inside, not by a redirect, not by a name that leads there."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from payouts.api import dialects
from payouts.webhooks import delivery, endpoints, outbox, transport
from payouts.webhooks.models import Attempt, Endpoint, Message
from tests import fakes, make

INSIDE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",  # noqa: S104 - an address to be refused
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:224.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001:0:1::1",
    "fe80::1",
    "fec0::1",
    "fd00::1",
    "ff02::1",
    "2001:db8::1",
]


@pytest.fixture
def receiver() -> Iterator[fakes.Receiver]:
    with fakes.receiver() as running:
        yield running


@pytest.fixture
def production(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_LOOPBACK = False


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What names resolve to, beside the real ones."""
    known: dict[str, str] = {}
    real = socket.getaddrinfo

    def resolve(host: str, *args: Any, **kwargs: Any) -> Any:
        return real(known.get(host, host), *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def send(url: str) -> transport.Reply:
    return transport.post(url, body=b"{}", headers={}, timeout_s=3)


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_called_or_registered_in_production(
    address: str, production: None, monkeypatch: pytest.MonkeyPatch, names: dict[str, str]
) -> None:
    connected: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, to: connected.append(to))
    names["innocent.example"] = address
    host = f"[{address}]" if ":" in address else address
    for url in (f"http://{host}/", f"https://{host}/", "http://innocent.example/", "https://innocent.example/in"):
        assert send(url).status_code is None
    assert connected == []
    with pytest.raises(endpoints.BadUrl):
        endpoints.check_url(f"https://{host}/")


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_the_address_that_was_checked_is_the_one_that_is_called(
    address: str, production: None, monkeypatch: pytest.MonkeyPatch, names: dict[str, str]
) -> None:
    connected: list[Any] = []

    def connect(_: socket.socket, to: Any) -> None:
        connected.append(to[0])
        names["moving.example"] = "127.0.0.1"
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    names["moving.example"] = address
    assert send("https://moving.example/").status_code is None
    assert connected == [address]


@pytest.mark.parametrize(
    ("url", "production_takes_it", "local_takes_it"),
    [
        ("https://hooks.example/in", True, True),
        ("https://hooks.example:8443/in?a=b", True, True),
        ("https://93.184.215.14/", True, True),
        ("http://hooks.example/in", False, False),
        ("http://127.0.0.1:9000/in", False, True),
        ("http://[::1]:9000/in", False, True),
        ("http://[::1]/in", False, True),
        ("http://localhost/in", False, True),
        ("https://localhost/in", False, True),
        ("http://127.0.0.1.example/in", False, False),
        ("http://10.0.0.1/in", False, False),
        ("https://10.0.0.1/in", False, False),
        ("https://person:word@hooks.example/in", False, False),
        ("https://person@127.0.0.1/in", False, False),
        ("https://@hooks.example/in", False, False),
        ("ftp://hooks.example/in", False, False),
        ("file:///etc/passwd", False, False),
        ("javascript:alert(1)", False, False),
        ("https://", False, False),
        ("https://hooks.example:99999/", False, False),
        ("https://" + "a" * 64 + ".example/", False, False),
        ("https://hooks..example/", False, False),
        ("https://hooks.example/" + "a" * 2000, False, False),
        ("https://[::1/in", False, False),
        ("//hooks.example", False, False),
        ("", False, False),
    ],
)
def test_a_url_is_https_public_and_without_credentials(
    url: str, *, production_takes_it: bool, local_takes_it: bool, settings: Any
) -> None:
    for loopback, taken in ((False, production_takes_it), (True, local_takes_it)):
        settings.WEBHOOKS_ALLOW_LOOPBACK = loopback
        try:
            found = endpoints.check_url(url)
        except endpoints.BadUrl:
            found = ""
        assert bool(found) == taken


@pytest.mark.django_db
def test_a_url_that_was_good_locally_is_not_called_in_production(receiver: fakes.Receiver, settings: Any) -> None:
    endpoint = endpoints.register(make.merchant(), api="merchant", url=receiver.url(), events=[], now=make.now())
    settings.WEBHOOKS_ALLOW_LOOPBACK = False
    now = make.now()
    outbox.test(endpoint, now=now)
    delivery.deliver_due(render=dialects.webhook_body, now=now)
    assert receiver.calls == []
    assert "https" in Attempt.objects.get().error


@pytest.mark.django_db
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_no_delivery_and_is_not_followed(status: int, receiver: fakes.Receiver) -> None:
    receiver.answers["/in"] = lambda handler: handler.reply(status, Location=receiver.url("/elsewhere"))
    endpoint = endpoints.register(make.merchant(), api="merchant", url=receiver.url(), events=[], now=make.now())
    now = make.now()
    message = outbox.test(endpoint, now=now)
    delivery.deliver_due(render=dialects.webhook_body, now=now)
    assert [call.path for call in receiver.calls] == ["/in"]
    assert Message.objects.get(id=message.id).state == "PENDING"
    assert Attempt.objects.get().status_code == status


def test_no_proxy_from_the_environment_is_asked(receiver: fakes.Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with fakes.receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert send(receiver.url()).status_code == 200
        assert proxy.calls == []


def test_only_the_start_of_an_answer_is_kept_and_nothing_that_the_database_cannot_hold(
    receiver: fakes.Receiver,
) -> None:
    receiver.answers["/in"] = lambda handler: handler.reply(200, b"\x00\xff" + b"a" * 100_000)
    reply = send(receiver.url())
    assert (reply.status_code, len(reply.answer)) == (200, 499)
    assert reply.answer.startswith("\ufffdaaa")


def test_a_receiver_that_breaks_off_after_its_status_has_given_it(receiver: fakes.Receiver) -> None:
    receiver.answers["/in"] = fakes.breaking_off
    assert send(receiver.url()).status_code == 200


def test_tls_is_checked_against_the_name_that_was_registered(names: dict[str, str], receiver: fakes.Receiver) -> None:
    names["hooks.example"] = "127.0.0.1"
    reply = send(f"https://hooks.example:{receiver.port}/in")
    assert reply.status_code is None
    assert "SSL" in reply.error


@pytest.mark.django_db
def test_a_merchant_has_no_more_urls_than_anyone_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST_ENDPOINTS", 2)
    merchant = make.merchant()

    def register() -> Endpoint:
        return endpoints.register(merchant, api="merchant", url="https://hooks.example/", events=[], now=make.now())

    first, _ = register(), register()
    with pytest.raises(endpoints.TooMany):
        register()
    endpoints.remove(first)
    assert register().is_active


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (fakes.held, None, "imed out|Timeout: no answer within 0.3 s"),  # a socket's own timeout is as long
        (fakes.dripping, None, "Timeout: no answer within 0.3 s"),
        (fakes.stalling, 200, "^$"),  # a status that came counts, whatever becomes of the body
    ],
    ids=["held", "dripping", "stalling"],
)
def test_a_call_is_over_at_its_deadline_and_its_connection_is_cut(
    answer: Callable[[fakes.Handler], None], status: int | None, error: str, receiver: fakes.Receiver
) -> None:
    receiver.answers["/in"] = answer
    reply = transport.post(receiver.url(), body=b"{}", headers={}, timeout_s=0.3)
    left_behind = [thread for thread in threading.enumerate() if thread.name == "webhook"]
    for thread in left_behind:
        thread.join(5)  # the receiver goes on for longer
    assert not any(thread.is_alive() for thread in left_behind)
    assert reply.status_code == status
    assert re.search(error, reply.error)


def test_a_name_server_is_waited_for_until_the_deadline_and_what_it_says_then_connects_nobody(
    receiver: fakes.Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, real = threading.Event(), socket.getaddrinfo

    def resolve(host: str, *args: Any, **kwargs: Any) -> Any:
        if host == "slow.example":
            assert answered.wait(60)
            host = "127.0.0.1"
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    url = f"http://slow.example:{receiver.port}/in"
    reply = transport.post(url, body=b"{}", headers={}, timeout_s=0.3)
    left_behind = [thread for thread in threading.enumerate() if thread.name == "webhook"]
    answered.set()
    for thread in left_behind:
        thread.join(30)
    assert len(left_behind) == 1
    assert (reply.status_code, reply.error) == (None, "Timeout: no answer within 0.3 s")
    assert receiver.calls == []
