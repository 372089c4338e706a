"""The ledger's screens: everything to be seen, nothing to be touched."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.sites import AdminSite
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.db import connection, models
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from ledger import adjusting, admin, finding, posting
from ledger.models import AccountLine, AdjustmentLine, Block, CreditLimitLine, EventLine
from ledger.posting import Kind
from tests.ledger.books import Book, funded, new_id
from tests.ledger.test_adjusting import NOON, proposal

pytestmark = pytest.mark.django_db


@pytest.fixture
def site() -> AdminSite:
    site = AdminSite()
    for model, screen in admin.SCREENS.items():
        site.register(model, screen)
    return site


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.user = User.objects.create_superuser("ada", password="correct horse battery")
    return request


@pytest.fixture
def book() -> Book:
    book = funded(100)
    book.post(Kind.FREEZE, 30)
    posting.set_credit_limit(book.credit, limit_units=5, by="ada", at=NOON)
    adjusting.propose(proposal(book), by="ada", at=NOON)
    return book


def screen(site: AdminSite, model: type[models.Model]) -> Any:
    return site.get_model_admin(model)


@pytest.mark.parametrize("model", admin.SCREENS)
def test_not_even_a_superuser_changes_anything(
    site: AdminSite, request_: HttpRequest, model: type[models.Model]
) -> None:
    of = screen(site, model)

    assert of.has_view_permission(request_)
    assert not of.has_add_permission(request_)
    assert not of.has_change_permission(request_)
    assert not of.has_delete_permission(request_)
    assert not of.get_actions(request_)


@pytest.mark.parametrize(
    ("model", "rows"), [(AccountLine, 4), (EventLine, 2), (CreditLimitLine, 1), (AdjustmentLine, 1)]
)
def test_a_list_shows_every_row(
    site: AdminSite, request_: HttpRequest, book: Book, model: type[models.Model], rows: int
) -> None:
    listed = screen(site, model).get_changelist_instance(request_)

    assert listed.result_count == rows


@pytest.mark.parametrize("model", [model for model in admin.SCREENS if model is not Block])
def test_a_row_is_found_by_its_key_and_nothing_by_another(
    site: AdminSite, request_: HttpRequest, book: Book, model: type[models.Model]
) -> None:
    row = model._default_manager.first()  # noqa: SLF001 - Django's public name for it
    assert row

    assert screen(site, model).get_object(request_, row.pk) == row
    assert screen(site, model).get_object(request_, str(Book().id)) is None
    assert screen(site, model).get_object(request_, "nonsense") is None


def test_events_are_searched_by_whole_ids_and_whole_references(
    site: AdminSite, request_: HttpRequest, book: Book
) -> None:
    withdrawal = new_id()
    posting.post([book.movement(Kind.FREEZE, 1, reference="INV-77")])
    posting.post([replace(book.movement(Kind.FREEZE, 1, reference=str(withdrawal)), txn=new_id())])
    of = screen(site, EventLine)

    def found(term: str) -> int:
        queryset, _ = of.get_search_results(request_, EventLine.objects.all(), term)
        return int(queryset.count())

    last = EventLine.objects.get(reference=str(withdrawal))
    assert found("INV-77") == found(" INV-77 ") == 1
    assert found("INV-7") == 0
    assert [found(str(one)) for one in (withdrawal, last.id, last.txn)] == [1, 1, 1]
    assert found(str(book.frozen.id)) == 3
    assert found(str(book.id)) == 4
    assert found(str(new_id())) == 0
    assert found(" ") == 4


def pages(site: AdminSite, request_: HttpRequest, rf: RequestFactory, query: str = "") -> list[list[str]]:
    """The references on every page, from the newest on, by the links."""
    seen: list[list[str]] = []
    while True:
        request = rf.get(f"/{query}")
        request.user = request_.user
        listed = screen(site, EventLine).get_changelist_instance(request)
        seen.append([row.reference for row in listed.result_list])
        query = listed.older
        if not query:
            return seen


def test_the_list_of_events_goes_on_from_the_last_one_shown(
    site: AdminSite, request_: HttpRequest, rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = funded(100)
    for first in (0, 7, 14):  # seven of one call, and so of one moment
        posting.post([book.movement(Kind.FREEZE, 1, reference=f"{first + one:02}") for one in range(7)])
    monkeypatch.setattr(admin.EventAdmin, "list_per_page", 4)

    shown = pages(site, request_, rf, f"?q={book.id}")

    assert [len(page) for page in shown] == [4, 4, 4, 4, 4, 2]
    flat = [reference for page in shown for reference in page]
    assert sorted(flat) == ["", *(f"{number:02}" for number in range(21))]
    assert [set(flat[start : start + 7]) for start in (0, 7, 14)] == [
        {f"{number:02}" for number in range(start, start + 7)} for start in (14, 7, 0)
    ]
    assert pages(site, request_, rf, f"?q={book.id}&kind=DEPOSIT") == [[""]]


@pytest.mark.parametrize("place", ["yesterday~x", "2026-01-01T00:00:00~x", "2026-01-01T00:00:00+00:00"])
def test_an_odd_place_in_the_list_is_refused(
    site: AdminSite, request_: HttpRequest, rf: RequestFactory, place: str
) -> None:
    request = rf.get("/", {"before": place})
    request.user = request_.user

    with pytest.raises(IncorrectLookupParameters):
        screen(site, EventLine).get_changelist_instance(request)


def test_a_stretch_of_time_is_narrowed_to_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    book = funded(1000)
    for _ in range(60):
        book.post(Kind.FREEZE, 1)
    events = EventLine.objects.filter(book=book.id)
    now = datetime.now(UTC)

    assert finding.newest(events, need=200, now=now).count() == 61
    assert 2 <= finding.newest(events, need=2, now=now).count() <= 2 * finding.CROWD
    later = now + timedelta(days=400)
    assert 2 <= finding.newest(events, need=2, now=later).count() <= 61


def test_lists_and_searches_find_events_by_an_index(site: AdminSite, request_: HttpRequest, rf: RequestFactory) -> None:
    book = funded(100)
    posted = posting.post([book.movement(Kind.FREEZE, 1, reference="INV-77")])[0]
    terms = ["", "q=INV-77", f"q={posted.id}", f"q={book.id}", f"q={book.frozen.id}", "kind=ADJUST"]

    with CaptureQueriesContext(connection) as queries:
        for term in terms:
            pages(site, request_, rf, f"?{term}")
        list(finding.around(EventLine.objects.get(book=book.id, id=posted.id)))

    asked = [query["sql"] for query in queries if "ledger_event" in query["sql"]]
    assert len(asked) > 10
    with finding.steered(), connection.cursor() as cursor:
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan on ledger_event" not in plan, plan
        for condition in ("reference = 'INV-77'", f"txn = '{posted.id}'", f"id = '{posted.id}'"):  # as ledger_find asks
            cursor.execute(f"EXPLAIN SELECT book, id FROM ledger_event WHERE {condition}")  # noqa: S608 - our own
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert f"Index Cond: ({condition.split()[0]} = " in plan, plan
        cursor.execute("SELECT proconfig FROM pg_proc WHERE proname = 'ledger_find'")
        assert "enable_seqscan=off" in cursor.fetchone()[0]


class Visitor:
    """Somebody with the right to look, at the project's own admin."""

    def __init__(self) -> None:
        self.client = Client()
        self.client.force_login(User.objects.create_superuser("grace", password="correct horse battery"))
        device = TOTPDevice.objects.create(user=User.objects.get(username="grace"), confirmed=True)
        session = self.client.session
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()

    def get(self, path: str) -> Any:
        answer = self.client.get(f"/admin/ledger/{path}")
        assert answer.status_code == 200, (answer.status_code, answer.get("Location"))
        return answer


def shown(answer: Any) -> BeautifulSoup:
    return BeautifulSoup(answer.content, "html.parser")


def test_every_list_and_every_row_opens(book: Book) -> None:
    visitor = Visitor()
    for model in admin.SCREENS:
        name = model._meta.model_name  # noqa: SLF001 - Django's public name for it
        visitor.get(f"{name}/")
        visitor.get(f"{name}/?q={book.id}")
        row = model._default_manager.first()  # noqa: SLF001 - the same
        if row is not None:
            visitor.get(f"{name}/{quote(row.pk)}/change/")


def test_an_event_leads_to_its_neighbours_and_its_two_accounts(book: Book) -> None:
    txn = new_id()
    first, other = (replace(book.movement(kind, 5), txn=txn) for kind in (Kind.FREEZE, Kind.FEE))
    posting.post([first, other])
    visitor = Visitor()

    page = shown(visitor.get(f"eventline/{book.id}.{first.id}/change/"))

    links = [str(link["href"]) for link in page.select("section.desk-card a")]
    assert [link for link in links if "eventline" in link] == [f"/admin/ledger/eventline/{book.id}.{other.id}/change/"]
    assert [link.split("/")[4].split(".")[1] for link in links if "accountline" in link] == [
        str(book.available.id),
        str(book.frozen.id),
    ]
    for link in links:
        visitor.get(link.removeprefix("/admin/ledger/"))


def test_an_account_shows_its_latest_entries_and_leads_to_older_ones(book: Book) -> None:
    for number in range(25):
        posting.post([book.movement(Kind.FREEZE, 1, reference=f"r{number}")])
    visitor = Visitor()
    path = f"accountline/{book.id}.{book.available.id}/change/"

    page = shown(visitor.get(path))
    rows = [[cell.get_text(strip=True) for cell in row.select("td")] for row in page.select(".desk-table tbody tr")]

    assert [row[0] for row in rows] == [str(seq) for seq in range(27, 7, -1)]
    assert (rows[0][2:], rows[1][4]) == (["FREEZE", "-1", "45", "r24"], "46")
    older = shown(visitor.get(f"{path}?before=8"))
    assert [row.td.get_text() for row in older.select(".desk-table tbody tr") if row.td] == [*"7654321"]
    assert not older.find("a", string="Older entries")
    newer = older.find("a", string="Newer entries")
    assert newer
    assert shown(visitor.get(f"{path}{newer['href']}")).select(".desk-table tbody td")[0].get_text() == "27"
    for odd in ("x", "-1", "0", "²", "9" * 30):
        visitor.get(f"{path}?before={odd}")


def test_a_statement_is_downloaded_in_a_stream(book: Book) -> None:
    visitor = Visitor()

    answer = visitor.get(f"accountline/{book.id}.{book.available.id}/statement.csv")

    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="statement-{book.available.id}.csv"'
    rows = list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["kind"], row["amount"], row["balance_after"]) for row in rows] == [
        ("DEPOSIT", "100", "100"),
        ("FREEZE", "30", "70"),
    ]
    assert visitor.client.get(f"/admin/ledger/accountline/{book.id}.{new_id()}/statement.csv").status_code == 404


def test_who_may_not_look_gets_no_statement(book: Book) -> None:
    visitor = Visitor()
    User.objects.filter(username="grace").update(is_superuser=False)

    assert (
        visitor.client.get(f"/admin/ledger/accountline/{book.id}.{book.available.id}/statement.csv").status_code == 403
    )
    assert Client().get(f"/admin/ledger/accountline/{book.id}.{book.available.id}/statement.csv").status_code == 302


def test_a_line_says_what_its_accounts_are_for(book: Book) -> None:
    line = EventLine.objects.get(book=book.id, kind="FREEZE")

    assert (line.asset, line.source_purpose, line.target_purpose, line.amount) == ("USDT", "available", "frozen", 30)
