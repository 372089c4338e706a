"""How the ledger's screens list what has millions of rows: no counting of everything, no pages by number, no scans."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from ledger import finding

COUNTED = 1000  # further nobody turns pages; who looks for something searches


def url(site: str, view: str, key: str) -> str:
    """Where a site shows a row of the ledger: `view` is accountline_change or eventline_change."""
    return reverse(f"{site}:ledger_{view}", args=[quote(key)])


def among(field: str, words: Iterable[StrEnum]) -> type[admin.SimpleListFilter]:
    """A filter on a column of known words; Django's own would read the whole table to learn them."""

    class Among(admin.SimpleListFilter):
        title = field
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
            return [(str(word), str(word)) for word in words]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 - Django's signature
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return Among


class Capped(Paginator):  # type: ignore[type-arg] # the class takes no argument when it runs
    """Pages of what is counted to a limit only."""

    @cached_property
    def count(self) -> int:
        """How many rows there are; the limit, when there are more."""
        rows: Any = self.object_list
        return int(rows[:COUNTED].count())


class Before(admin.SimpleListFilter):
    """Where a list of events goes on: `<moment>~<key>` of the last one shown, which is not shown again."""

    title = "moment"
    parameter_name = "before"

    @property
    def place(self) -> tuple[datetime, str] | None:
        """The last event's moment and key.

        Raises: IncorrectLookupParameters when that is not what the address holds.
        """
        if not self.value():
            return None
        moment, _, key = str(self.value()).partition("~")
        try:
            at = datetime.fromisoformat(moment)
        except ValueError as error:
            raise IncorrectLookupParameters from error
        if timezone.is_naive(at) or not key:
            raise IncorrectLookupParameters
        return at, key

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """Nothing to choose, but the place where one is."""
        return [(str(self.value()), f"before {self.value()}"[:26])] if self.value() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 - Django's signature
        """What happened before."""
        if self.place is None:
            return queryset
        at, key = self.place
        return queryset.filter(Q(at__lt=at) | Q(key__lt=key), at__lte=at)


class NewestFirst(ChangeList):
    """One page of events and a link to what was before them."""

    older = ""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """The stretch of time that the page is in."""
        events = super().get_queryset(request, exclude_parameters)
        places = [spec.place for spec in self.filter_specs if isinstance(spec, Before) and spec.place]
        now = places[0][0] if places else timezone.now()
        return finding.newest(events, need=self.list_per_page + 1, now=now)

    def get_results(self, request: HttpRequest) -> None:  # noqa: ARG002 - Django's signature
        """The page, and whether there is another."""
        with finding.steered():
            rows = list(self.queryset[: self.list_per_page + 1])
        shown = rows[: self.list_per_page]
        if len(rows) > len(shown):
            last = shown[-1]
            self.older = self.get_query_string({Before.parameter_name: f"{last.at.isoformat()}~{last.key}"})
        self.result_list = shown
        self.result_count, self.full_result_count = len(shown), None
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = Paginator(shown, self.list_per_page)
