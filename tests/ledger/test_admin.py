"""The ledger's screens: everything to be seen, nothing to be touched."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.sites import AdminSite
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest
from django.test import RequestFactory

from ledger import admin, posting
from ledger.models import AccountLine, CreditLimitLine, EventLine
from ledger.posting import Kind
from tests.ledger.books import Book, funded

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
    posting.set_credit_limit(book.credit, limit_units=5, by="ada", at=datetime(2026, 1, 2, tzinfo=UTC))
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


@pytest.mark.parametrize(("model", "rows"), [(AccountLine, 4), (EventLine, 2), (CreditLimitLine, 1)])
def test_a_list_shows_every_row(
    site: AdminSite, request_: HttpRequest, book: Book, model: type[models.Model], rows: int
) -> None:
    listed = screen(site, model).get_changelist_instance(request_)

    assert listed.result_count == rows


@pytest.mark.parametrize("model", admin.SCREENS)
def test_a_row_is_found_by_its_key_and_nothing_by_another(
    site: AdminSite, request_: HttpRequest, book: Book, model: type[models.Model]
) -> None:
    row = model._default_manager.first()  # noqa: SLF001 - Django's public name for it
    assert row

    assert screen(site, model).get_object(request_, row.pk) == row
    assert screen(site, model).get_object(request_, str(Book().id)) is None
    assert screen(site, model).get_object(request_, "nonsense") is None


def test_events_are_searched_by_ids_and_by_how_a_reference_begins(
    site: AdminSite, request_: HttpRequest, book: Book
) -> None:
    posting.post([book.movement(Kind.FREEZE, 1, reference="INV-77")])
    of = screen(site, EventLine)

    def found(term: str) -> int:
        queryset, _ = of.get_search_results(request_, EventLine.objects.all(), term)
        return int(queryset.count())

    assert found("INV-7") == 1
    assert found("NV-7") == 0
    assert found(str(book.frozen.id)) == 2
    assert found(str(book.id)) == 3
    assert found(" ") == 3


def test_a_line_says_what_its_accounts_are_for(book: Book) -> None:
    line = EventLine.objects.get(book=book.id, kind="FREEZE")

    assert (line.asset, line.source_purpose, line.target_purpose, line.amount) == ("USDT", "available", "frozen", 30)
