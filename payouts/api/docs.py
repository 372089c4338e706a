"""The APIs' OpenAPI documents and the pages that show them; nothing of them comes from another host."""

import functools
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_root_object
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.settings import patched_settings

from payouts.api.extraction import schema as extraction
from payouts.api.invoice import schema as invoice
from payouts.api.merchant import schema as merchant
from payouts.api.openapi import Document
from payouts.api.public import schema as public
from payouts.api.tenant import schema as tenant

DOCUMENTS: Mapping[str, Document] = {
    "extraction": extraction.DOCUMENT,
    "invoice": invoice.DOCUMENT,
    "merchant": merchant.DOCUMENT,
    "public": public.DOCUMENT,
    "tenant": tenant.DOCUMENT,
}
Routes = Sequence[URLPattern | URLResolver]


class Described(AutoSchema):
    """Takes what it says of a call from the API's table, and its words from the view's own."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any) -> dict[str, Any]:  # noqa: ARG002 - the framework's signature
        """The operation object.

        Raises: KeyError for a route that the API's table lacks.
        """
        says = inspect.getdoc(getattr(self.view, method.lower())) or ""
        return self.document.operation(method, path, says=says)


class Generator(SchemaGenerator):
    """Walks the routes of one API."""

    def __init__(self, document: Document, routes: Routes) -> None:
        super().__init__(patterns=[*routes])  # type: ignore[no-untyped-call]  # the framework's
        self.document = document

    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        """The view, described by the table."""
        view = super().create_view(callback, method, request)  # type: ignore[no-untyped-call]  # the framework's
        self._set_schema_to_view(view, Described(self.document))  # type: ignore[no-untyped-call]  # the framework's
        return view

    def whole(self) -> dict[str, Any]:
        """The document."""
        info = {"TITLE": self.document.title, "DESCRIPTION": self.document.says, "VERSION": "1", "OAS_VERSION": "3.1.0"}
        with patched_settings(info | {"SERVERS": [{"url": "/"}], "SCHEMA_PATH_PREFIX": "/"}):
            paths = self.parse(None, public=True)  # type: ignore[no-untyped-call]  # the framework's
            root: dict[str, Any] = build_root_object(paths, self.document.components(), {}, None)
        return root


def routes(apis: Mapping[str, Routes]) -> list[URLPattern]:
    """`/docs/<api>/`, `…/openapi.json` and `…/openapi.yaml` for each of the APIs, given their routes."""
    found = []
    for api, its_routes in apis.items():
        whole = functools.cache(Generator(DOCUMENTS[api], its_routes).whole)
        found += [
            path(f"docs/{api}/", functools.partial(page, api=api), name=f"docs-{api}"),
            path(f"docs/{api}/openapi.json", functools.partial(as_json, whole=whole), name=f"docs-{api}-json"),
            path(f"docs/{api}/openapi.yaml", functools.partial(as_yaml, whole=whole), name=f"docs-{api}-yaml"),
        ]
    return found


@require_safe
def page(request: HttpRequest, *, api: str) -> HttpResponse:
    """The document as a page for people."""
    return render(request, "payouts/docs/page.html", {"title": DOCUMENTS[api].title})


@require_safe
def as_json(_request: HttpRequest, *, whole: Any) -> HttpResponse:
    """The document for programs."""
    return HttpResponse(json.dumps(whole(), indent=2, ensure_ascii=False), content_type="application/json")


@require_safe
def as_yaml(_request: HttpRequest, *, whole: Any) -> HttpResponse:
    """The same, for those who read it in an editor."""
    return HttpResponse(OpenApiYamlRenderer().render(whole()), content_type="application/yaml")
