"""Payout runs over REST: many withdrawals in one call, as JSON or as the file that the dashboard takes."""

import hashlib
import io
from collections.abc import Mapping
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework import parsers
from rest_framework.request import Request
from rest_framework.response import Response

from payouts.api import base
from payouts.api.merchant import batch_wire, wire
from payouts.api.merchant.views import MerchantView
from payouts.runs import queries, reading, runs
from payouts.runs.models import Run
from payouts.withdrawals import idempotency

ENDPOINT = "POST /v1/withdrawals/batch"


class Table(parsers.BaseParser):
    """A file of payments as it came."""

    media_type = "text/csv"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,  # noqa: ARG002 - the framework's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - the framework's signature
    ) -> Any:
        """The file, a BytesIO.

        Raises: base.TooLarge.
        """
        content = stream.read(reading.LARGEST_BYTES + 1)
        if len(content) > reading.LARGEST_BYTES:
            raise base.TooLarge
        return io.BytesIO(content)


class Workbook(Table):
    """The same as a spreadsheet's file."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class BatchView(MerchantView):
    """What the routes of a run have in common."""

    def run(self, run_id: str) -> Run:
        """The merchant's own run.

        Raises: wire.Refused.
        """
        found = batch_wire.parse_id(run_id)
        run = queries.of(self.key.merchant).filter(id=found, api=wire.API).first() if found else None
        if run is None:
            raise wire.Refused(404, "batch not found")
        return run


class Batches(BatchView):
    """`/v1/withdrawals/batch`."""

    parser_classes = [base.StrictJson, Table, Workbook]

    def post(self, request: Request) -> Response:
        """Have all of them made, or none: every row is checked first, and a faulty one refuses the whole."""
        now, merchant = base.now(), self.key.merchant
        rows, said = batch_wire.rows(request.data)
        scope = _scope(request, self.key.merchant, said)
        asked = runs.Asked(merchant, wire.API, self.key.key_id, "over REST", maker=self.key.issued_to)

        def make() -> idempotency.Answer:
            run = runs.check(asked, rows(), now=now)
            if run.rows_faulty:
                raise batch_wire.Faulty(run)
            return 202, batch_wire.batch(runs.submit(run.id, merchant=merchant, now=now), None)

        try:
            status_code, answer = idempotency.once(scope, make, now=now)
        except batch_wire.Faulty as faulty:
            return Response(faulty.said(), status=422)
        return Response(answer, status=status_code)


def _scope(request: Request, merchant: Any, said: bytes | None) -> idempotency.Scope | None:
    if said is None:
        return base.idempotency_scope(request, endpoint=ENDPOINT, merchant=merchant)
    key = base.idempotency_key(request)
    told = {"sha256": hashlib.sha256(said).hexdigest()}
    return None if key is None else idempotency.Scope(merchant=merchant, endpoint=ENDPOINT, key=key, request=told)


class OneBatch(BatchView):
    """`/v1/withdrawals/batch/{id}`."""

    def get(self, request: Request, run_id: str) -> Response:  # noqa: ARG002 - the framework's signature
        """How far it is."""
        run = self.run(run_id)
        return Response(batch_wire.batch(run, queries.progress(run)))


class BatchRows(BatchView):
    """`/v1/withdrawals/batch/{id}/rows`."""

    def get(self, request: Request, run_id: str) -> Response:
        """A page of its rows in their order, from behind the row that `after` names."""
        run = self.run(run_id)
        limit, _ = self.page(request)
        after = base.whole(request.query_params.get("after"), default=0)
        if after is None:
            raise wire.Refused(400, "invalid after")
        page = queries.rows(run, after=min(after, reading.MOST_ROWS * 2), limit=limit)
        return Response({"rows": [batch_wire.row(*one) for one in page], "total": run.rows_total})


class BatchCancel(BatchView):
    """`/v1/withdrawals/batch/{id}/cancel`."""

    def post(self, request: Request, run_id: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Make no more of it, and call back what is not on chain."""
        run = runs.cancel(self.run(run_id).id, merchant=self.key.merchant, now=base.now())
        return Response(batch_wire.batch(run, queries.progress(run)), status=202)


class BatchResults(BatchView):
    """`/v1/withdrawals/batch/{id}/results.csv`."""

    def get(self, request: Request, run_id: str) -> StreamingHttpResponse:  # noqa: ARG002 - the framework's signature
        """All rows with what became of each, as a file."""
        return StreamingHttpResponse(queries.lines(self.run(run_id)), content_type="text/csv; charset=utf-8")
