"""Columns that Django has no fields for: whole numbers of any size, numbers of transactions."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    IntColumn = models.IntegerField[Any, Any]  # the stubs' lookups of numbers; int | None where null
else:
    IntColumn = models.Field  # an IntegerField at run time would refuse what 32 bits cannot hold


class UnitsField(IntColumn):
    """A whole number of an asset's smallest ledger unit: numeric(78,0) in PostgreSQL, int in Python."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django's signature
        """The column's type."""
        return "numeric(78,0)"

    def get_prep_value(self, value: Any) -> Decimal | Any:
        """Only whole numbers go into a query.

        Raises: TypeError for a float, a Decimal, a text.
        """
        if value is None or hasattr(value, "resolve_expression"):
            return value
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"units are an int, not {value!r}")
        return Decimal(value)

    def from_db_value(self, value: Decimal | None, *_: object) -> int | None:
        """The column's value as int."""
        return None if value is None else int(value)


class XidField(IntColumn):
    """The 64-bit number of the database transaction that wrote a row."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django's signature
        """The column's type."""
        return "xid8"

    def get_prep_value(self, value: Any) -> Any:
        """As text, which PostgreSQL reads as its type: no number compares with an xid8."""
        return value if value is None or hasattr(value, "resolve_expression") else str(int(value))

    def from_db_value(self, value: str | int | None, *_: object) -> int | None:
        """The column's value as int."""
        return None if value is None else int(value)
