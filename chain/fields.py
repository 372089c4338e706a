"""Columns of this room: ids in the order of time, and amounts in base units."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A time-ordered id."""
    return uuid7()


if TYPE_CHECKING:
    WholeNumber = models.DecimalField[int, int]
else:
    WholeNumber = models.DecimalField  # Django's fields take no type arguments when they run


class UnitsField(WholeNumber):
    """An amount in base units: numeric(78, 0) in the database, an int everywhere else."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "max_digits": 78, "decimal_places": 0})

    def from_db_value(self, value: Decimal | None, *_: object) -> int | None:
        """The column as an int."""
        return None if value is None else int(value)

    def to_python(self, value: Any) -> Any:
        """An int; a float never becomes money.

        Raises: TypeError for anything that is not a whole number type.
        """
        if value is None or isinstance(value, int):
            return value
        if isinstance(value, Decimal) and value == value.to_integral_value():
            return int(value)
        raise TypeError("base units are an int")
