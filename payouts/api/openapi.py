"""What the APIs' OpenAPI documents are made of: a table per API says what each of its calls takes and answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Schema = dict[str, Any]
OF_A_BODY = (411, 413, 415)
KEYED = (409, 422)  # a key that is in flight, a key that came with another body
ALWAYS = (400, 503)
MOMENT: Schema = {"type": "string", "format": "date-time"}
IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a repeat harmless: the same key with the same body gets the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
RATE_LIMIT_HEADERS: Schema = {
    name: {"description": text, "schema": {"type": "integer"}}
    for name, text in (
        ("RateLimit-Limit", "Calls that the window allows."),
        ("RateLimit-Remaining", "Calls that are left in it."),
        ("RateLimit-Reset", "Seconds until the oldest call leaves it."),
    )
}
ANY_TEXT = r"^[^\x00]*$"  # no database keeps a NUL, so no body may hold one
RETRY_AFTER: Schema = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
WAITING = (429, 503)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One method of one path: what it takes, what it answers when it did it, with what else it may refuse."""

    answers: Mapping[int, str | None]  # status → the component that is the body, or None for none
    body: str | None = None
    body_type: str = "application/json"
    query: Sequence[Schema] = ()
    refuses: tuple[int, ...] = ()  # beside what `Document.statuses` knows by itself
    is_keyed: bool = False
    security: Sequence[Mapping[str, Sequence[str]]] | None = None  # where it is not the document's own
    is_counted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One API's document, before the routes are asked which calls there really are."""

    title: str
    says: str
    calls: Mapping[tuple[str, str], Call]
    schemas: Mapping[str, Schema]
    path_parameters: Mapping[str, Schema]
    security_schemes: Mapping[str, Schema]
    security: Sequence[Mapping[str, Sequence[str]]]
    error: str  # the component that is every refusal's body
    texts: Mapping[int, Sequence[str]]  # what refusals say, by status
    headers: Schema = field(default_factory=dict)  # of every counted answer
    stranger: int = HTTPStatus.UNAUTHORIZED  # how somebody without a right key is refused

    def components(self) -> Schema:
        """The shapes, the refusals and the ways to say who is calling."""
        refused = {str(status) for call in self.calls.values() for status in self.statuses(call)}
        return {
            "schemas": dict(self.schemas),
            "responses": {status: self._refusal(int(status)) for status in sorted(refused)},
            "securitySchemes": dict(self.security_schemes),
        }

    def operation(self, method: str, path: str, *, says: str) -> Schema:
        """The document's part about one call.

        Raises: KeyError for a call that the table lacks.
        """
        call = self.calls[method, path]
        first, _, rest = says.partition("\n\n")
        operation: Schema = {
            "operationId": _operation_id(method, path),
            "summary": " ".join(first.split()).rstrip("."),
            "description": "" if rest.lstrip().startswith("Raises:") else " ".join(rest.split()),
            "parameters": [*self._in_path(path), *call.query, *([IDEMPOTENCY_KEY] if call.is_keyed else ())],
            "security": [dict(one) for one in self._security(call)],
            "responses": {
                **{str(status): self._answer(call, status, name) for status, name in call.answers.items()},
                **{
                    str(status): {"$ref": f"#/components/responses/{status}"}
                    for status in self.statuses(call)
                    if status not in call.answers
                },
            },
        }
        if call.body is not None:
            content = self._content(call.body, call.body_type)
            operation["requestBody"] = {"required": self._needs(call.body), "content": content}
        return operation

    def statuses(self, call: Call) -> list[int]:
        """Every status with which the call may be refused."""
        found = {*ALWAYS, *call.refuses}
        found |= {int(self.stranger)} if self._security(call) else set()
        found |= {429} if call.is_counted else set()
        found |= {*OF_A_BODY} if call.body else set()
        found |= {*KEYED} if call.is_keyed else set()
        return sorted(found)

    def _needs(self, body: str) -> bool:
        """Whether something has to be in it: no body is read as `{}`."""
        schema = self.schemas[body]
        return bool(schema.get("required") or schema.get("type") != "object")

    def _security(self, call: Call) -> Sequence[Mapping[str, Sequence[str]]]:
        return self.security if call.security is None else call.security

    def _in_path(self, path: str) -> list[Schema]:
        names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
        return [{"name": name, "in": "path", "required": True, **self.path_parameters[name]} for name in names]

    def _answer(self, call: Call, status: int, name: str | None) -> Schema:
        told: Schema = {"description": HTTPStatus(status).phrase}
        if call.is_counted and self.headers:
            told["headers"] = self.headers
        return told if name is None else told | {"content": self._content(name)}

    def _refusal(self, status: int) -> Schema:
        texts = "".join(f"\n- `{text}`" for text in self.texts.get(status, ()))
        told: Schema = {"description": HTTPStatus(status).phrase + texts, "content": self._content(self.error)}
        headers = (RETRY_AFTER if status in WAITING else {}) | (
            self.headers if status != HTTPStatus.UNAUTHORIZED else {}
        )
        return told | ({"headers": headers} if headers else {})

    def _content(self, name: str, media_type: str = "application/json") -> Schema:
        return {media_type: {"schema": ref(name)}}


def ref(name: str) -> Schema:
    """A component's schema, by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed(properties: Mapping[str, Schema], *, optional: Iterable[str] = (), **more: Any) -> Schema:
    """An object with these fields and no others."""
    left_out = {*optional}
    required = [name for name in properties if name not in left_out]
    shape: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return shape | ({"required": required} if required else {}) | more


def text(**more: Any) -> Schema:
    """A text."""
    return {"type": "string", **more}


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(schema: Schema, **more: Any) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema, **more}


def query(name: str, schema: Schema, says: str, *, required: bool = False) -> Schema:
    """A parameter in the query string."""
    return {"name": name, "in": "query", "required": required, "description": says, "schema": schema}


def texts_by_status(errors: Iterable[tuple[int, str]], **more: str) -> dict[int, list[str]]:
    """What an API's table of errors says, by status; `more` are further texts, as `s400="…"`."""
    found: dict[int, list[str]] = {}
    for status, said in [*errors, *((int(name[1:]), said) for name, said in more.items())]:
        found.setdefault(status, []).append(said)
    return found


def _operation_id(method: str, path: str) -> str:
    words = [part.strip("{}").replace("-", "_") for part in path.split("/") if part]
    return "_".join([method.lower(), *words])
