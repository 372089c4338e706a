"""Logging in to the `extraction` API, and the supervisors that a store makes."""

import base64
import hashlib
import hmac
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from payouts.merchants import logins, supervisors
from payouts.merchants.store_models import Login, Supervisor
from payouts.withdrawals.models import IdempotencyKey
from tests import make
from tests.api import shops
from tests.api.shops import Caller, conformance
from tests.payouts import crowd

WRONG = (401, "wrong username or password")
USED = (401, "invalid or expired refresh token")
NO_TOKEN = (401, "invalid or expired token")
db = pytest.mark.django_db


def refresh(token: str) -> Any:
    return shops.call("POST", "/auth/refresh", {"refreshToken": token})


def works(token: str) -> bool:
    answer = shops.call("GET", "/supervisor", token=token)
    assert answer.status_code == 200 or shops.error(answer) == NO_TOKEN
    return bool(answer.status_code == 200)


@conformance("N login answers {accessToken, refreshToken}, refresh trades one for new ones")
@db
def test_a_refresh_token_is_traded_once_for_new_ones() -> None:
    tokens = shops.shop().caller.log_in()
    assert set(tokens) == {"accessToken", "refreshToken"}
    answer = refresh(tokens["refreshToken"])
    assert (answer.status_code, set(answer.json())) == (200, {"accessToken", "refreshToken"})
    assert works(tokens["accessToken"])
    assert works(answer.json()["accessToken"])
    assert refresh(answer.json()["refreshToken"]).status_code == 200


@db
def test_a_refresh_token_that_comes_twice_ends_its_login_and_no_other() -> None:
    caller = shops.shop().caller
    other, stolen = dict(caller.log_in()), caller.log_in()
    fresh = refresh(stolen["refreshToken"]).json()
    assert shops.error(refresh(stolen["refreshToken"])) == USED
    assert shops.error(refresh(fresh["refreshToken"])) == USED
    assert [works(token["accessToken"]) for token in (stolen, fresh, other)] == [False, False, True]


def test_of_many_refreshes_at_once_with_one_token_at_most_one_is_answered(committed: object) -> None:
    token = shops.shop().caller.log_in()["refreshToken"]
    statuses: list[int] = []
    crowd.at_once([lambda: statuses.append(refresh(token).status_code)] * 8)
    assert Counter(statuses) == {200: 1, 401: 7}


@db
def test_tokens_end_with_time_logout_a_new_password_and_the_persons_end() -> None:
    shop = shops.shop()
    person, caller = shop.store.person, shop.caller
    token = caller.log_in()["accessToken"]
    now = make.now()
    assert logins.behind(token, now=now + logins.ACCESS_LIFE - timedelta(seconds=5)).person == person
    with pytest.raises(logins.TokenRefused, match="expired"):
        logins.behind(token, now=now + logins.ACCESS_LIFE + timedelta(seconds=5))
    with pytest.raises(logins.TokenRefused, match="expired"):
        logins.refresh(caller.tokens["refreshToken"], now=now + logins.LIFE + timedelta(seconds=5))
    assert caller.post("/auth/logout").status_code == 204
    assert not works(token)
    token = caller.log_in()["accessToken"]
    person.set_password("another long password")
    person.save()
    assert not works(token)
    caller.password = "another long password"
    token = caller.log_in()["accessToken"]
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert not works(token)


@db
def test_refreshing_does_not_prolong_a_login() -> None:
    person, now = shops.shop().store.person, make.now()
    tokens = logins.start(person, now=now)
    for day in range(1, 7):
        tokens = logins.refresh(tokens.refresh, now=now + timedelta(days=day))
    with pytest.raises(logins.TokenRefused):
        logins.refresh(tokens.refresh, now=now + logins.LIFE)
    logins.start(person, now=now + logins.LIFE + timedelta(days=1))
    assert Login.objects.count() == 1, "a login that has run out is forgotten"


def part(text: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(text).encode()).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return found


@db
def test_no_token_but_ours_and_for_its_own_use_opens_anything() -> None:
    tokens = shops.shop().caller.log_in()
    header, claims, signature = tokens["accessToken"].split(".")
    told = claims_of(tokens["accessToken"])
    hs = part({"alg": "HS256", "typ": "JWT"})

    def signed(key: bytes) -> str:
        made = hmac.new(key, f"{hs}.{claims}".encode(), hashlib.sha256).digest()
        return f"{hs}.{claims}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"

    forged = [
        f"{part({'alg': 'none', 'typ': 'JWT'})}.{claims}.",
        f"{header}.{part(told | {'exp': told['exp'] + 9999})}.{signature}",
        f"{header}.{claims}.{signature[:-4]}AAAA",
        signed(b"local-only"),
        signed(b""),
        tokens["refreshToken"],
        "a.b.c",
        "x" * 1999,
    ]
    assert [works(token) for token in forged] == [False] * len(forged)
    assert works(tokens["accessToken"])
    assert shops.error(refresh(tokens["accessToken"])) == USED
    headers = {"Basic abc", "Bearer", "Bearer ", f"Bearer {tokens['accessToken']} x", f"bearer: {header}", "Bearer é"}
    for text in headers:
        assert shops.error(shops.call("GET", "/supervisor", Authorization=text)) == (401, "invalid bearer token")
    assert shops.error(shops.call("GET", "/supervisor")) == (401, "missing bearer token")


@db
def test_an_unknown_name_a_wrong_password_and_an_approver_get_one_answer() -> None:
    shop, approver = shops.shop(), make.approver(1)
    for username, password in (
        ("nobody", make.PASSWORD),
        (shop.caller.username, "wrong"),
        (approver.person.username, make.PASSWORD),
        ("n" * 151, make.PASSWORD),
        (shop.caller.username, "p" * 1001),
    ):
        answer = shops.call("POST", "/auth/login", {"username": username, "password": password})
        assert shops.error(answer) == WRONG
    assert Login.objects.count() == 0


@db
@pytest.mark.parametrize("who", ["store", "approver"])
def test_ten_refused_logins_close_the_name_in_the_envelope(who: str) -> None:
    shop, approver = shops.shop(), make.approver(1)
    name = shop.caller.username if who == "store" else approver.person.username
    guess = "a guess" if who == "store" else make.PASSWORD  # an approver's right password counts as wrong here
    statuses = []
    for _ in range(11):
        answer = shops.call("POST", "/auth/login", {"username": name, "password": guess})
        statuses.append(shops.error(answer)[0])
    assert statuses == [401] * 9 + [429] * 2
    right = shops.call("POST", "/auth/login", {"username": name, "password": make.PASSWORD})
    assert shops.error(right) == (429, "too many failed logins, try again later")
    assert shops.shop().caller.log_in()


@conformance("N POST /api/v1/supervisor {name*, email*} by the store; read-only by default")
@db
def test_a_store_makes_a_supervisor_who_may_only_read() -> None:
    shop = shops.shop()
    answer = shop.caller.post("/supervisor", {"name": " Sam Li ", "email": "sam@shop.example"})
    made = answer.json()
    row = Supervisor.objects.get()
    assert answer.status_code == 201
    assert made == {
        "id": str(row.id),
        "name": "Sam Li",
        "email": "sam@shop.example",
        "username": row.person.username,
        "accountId": str(row.account),
        "qrActive": False,
        "buyUsdtActive": False,
        "createdAt": made["createdAt"],
        "password": made["password"],
    }
    sam = Caller(made.pop("username"), made.pop("password"))
    assert sam.get("/supervisor/me").json() == made | {"username": sam.username}
    assert shop.caller.get(f"/supervisor/{row.id}").json() == sam.get("/supervisor/me").json()


@conformance("N supervisors: only the flags sent change")
@db
def test_only_the_flags_that_are_sent_change() -> None:
    shop = shops.shop()
    path = f"/supervisor/{shop.supervisor().get('/supervisor/me').json()['id']}"

    def patch(body: Any) -> tuple[Any, ...]:
        answer = shop.caller.call("PATCH", path, body)
        told = answer.json()
        return answer.status_code, told.get("qrActive"), told.get("buyUsdtActive")

    assert patch({"qrActive": True}) == (200, True, False)
    assert patch({"buyUsdtActive": True}) == (200, True, True)
    assert patch({}) == (200, True, True)
    assert patch({"qrActive": False}) == (200, False, True)
    for wrong in (
        {"buyUsdtActive": 0},
        {"buyUsdtActive": "false"},
        {"buyUsdtActive": None},
        {"name": "x"},
        {"a\u202e": 1},
    ):
        assert patch(wrong)[0] == 400
    assert patch({"qrActive": True, "buyUsdtActive": False}) == (200, True, False)


@conformance("N supervisors: list, get, soft-delete")
@db
def test_a_deleted_supervisor_is_out_at_once_and_stays_on_record() -> None:
    shop = shops.shop(funds="10")
    shop.caller.extract(amount=1)
    buyer, other = shop.buyer(), shop.supervisor()
    made = buyer.extract(amount=1, address=None)
    me = buyer.get("/supervisor/me").json()
    assert shop.caller.get("/supervisor").json()["total"] == 2
    assert shop.caller.call("DELETE", f"/supervisor/{me['id']}").status_code == 204
    assert shops.error(buyer.extract(amount=1, address=None)) == NO_TOKEN
    assert shops.error(refresh(buyer.tokens["refreshToken"])) == USED
    login = shops.call("POST", "/auth/login", {"username": buyer.username, "password": buyer.password})
    assert shops.error(login) == WRONG
    listed = shop.caller.get("/supervisor").json()
    assert ([row["id"] for row in listed["supervisors"]], listed["total"]) == (
        [other.get("/supervisor/me").json()["id"]],
        1,
    )
    for method in ("GET", "DELETE"):
        assert shops.error(shop.caller.call(method, f"/supervisor/{me['id']}")) == (404, "supervisor not found")
    row = Supervisor.objects.get(id=me["id"])
    assert (row.deleted_at is not None, row.buy_usdt_active, row.person.is_active) == (True, False, False)
    assert made.status_code == 201
    again = shop.caller.post("/supervisor", {"name": "Back", "email": me["email"]})
    assert again.status_code == 201, "the address is free again"


@db
def test_an_email_address_is_one_supervisors_within_a_store() -> None:
    shop, other = shops.shop(), shops.shop()
    body = {"name": "Sam", "email": "sam@shop.example"}
    assert shop.caller.post("/supervisor", body).status_code == 201
    taken = (409, "a supervisor with this email exists")
    assert shops.error(shop.caller.post("/supervisor", body | {"email": "SAM@shop.example"})) == taken
    assert other.caller.post("/supervisor", body).status_code == 201


@db
def test_the_list_goes_by_pages_newest_first() -> None:
    shop = shops.shop()
    names = [f"Sam {number}" for number in range(5)]
    for number, name in enumerate(names):
        supervisors.create(shop.store, name=name, email=f"{number}@shop.example", now=make.now())

    def page(query: str) -> list[str]:
        told = shop.caller.get(f"/supervisor{query}").json()
        assert told["total"] == 5
        return [row["name"] for row in told["supervisors"]]

    assert page("") == page("?limit=1000") == names[::-1]
    assert page("?page=2&limit=2") == names[::-1][2:4]
    assert page("?page=9999999999999999999") == []
    for query in ("?page=0", "?limit=0", "?page=-1", "?limit=x", "?page=１"):
        assert shops.error(shop.caller.get(f"/supervisor{query}"))[0] == 400


@db
def test_a_repeated_create_answers_the_first_with_its_password_which_is_kept_nowhere() -> None:
    shop = shops.shop()
    body = {"name": "Sam", "email": "sam@shop.example"}
    first, again = (shop.caller.post("/supervisor", body, Idempotency_Key="k") for _ in range(2))
    assert first.json() == again.json()
    assert Supervisor.objects.count() == 1
    assert Caller(first.json()["username"], again.json()["password"]).log_in()
    assert first.json()["password"] not in json.dumps([row.body for row in IdempotencyKey.objects.all()])


@db
def test_a_store_has_room_for_so_many_supervisors_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisors, "MOST", 2)
    shop = shops.shop()
    shop.supervisor()
    shop.supervisor()
    answer = shop.caller.post("/supervisor", {"name": "Sam", "email": "sam@shop.example"})
    assert shops.error(answer) == (409, "too many supervisors")
    assert Supervisor.objects.filter(store=shop.store).count() == 2
