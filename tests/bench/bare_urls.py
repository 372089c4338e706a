"""A bare DRF view that inserts one row: what the api section's creates are measured by."""

from typing import Any, cast

import uuid_utils.compat as uuid7
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework import parsers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Row(models.Model):
    """The row; its table is made by bare_row.sql."""

    id = models.UUIDField(primary_key=True, default=uuid7.uuid7)
    amount = models.DecimalField(max_digits=78, decimal_places=0)
    destination_address = models.CharField(max_length=128)
    network = models.CharField(max_length=16)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bench"
        db_table = "bench_row"
        managed = False


class Rows(APIView):
    """`/rows`."""

    parser_classes = [parsers.JSONParser]

    def post(self, request: Request) -> Response:
        """Insert it."""
        sent = cast("dict[str, Any]", request.data)
        row = Row(**sent)
        row.save(force_insert=True)
        return Response({"id": str(row.id), **sent}, status=201)


def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the server answers."""
    return HttpResponse("ok")


urlpatterns = [path("rows", Rows.as_view()), path("healthz", healthz)]
