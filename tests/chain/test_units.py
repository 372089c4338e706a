"""Decimal to base units and back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import units

amounts = st.integers(min_value=1, max_value=units.LARGEST_UNITS)


@given(amounts)
def test_base_units_survive_the_way_to_decimal_and_back(amount: int) -> None:
    assert units.to_units("USDT", units.to_decimal("USDT", amount)) == amount
    assert units.to_units("USDT", Decimal(units.text("USDT", amount))) == amount
    assert units.to_units("USDT", Decimal(units.text("USDT", amount, 2))) == amount


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_any_decimal_is_exact_or_refused(amount: Decimal) -> None:
    try:
        found = units.to_units("USDT", amount)
    except units.BadAmount:
        return
    assert found > 0
    assert units.to_decimal("USDT", found) == amount


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "0.0000001",
        "1.0000001",
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1E+999999999",
        "1E-999999999",
        "1E+31",
        "1." + "0" * 5000,
    ],
)
def test_what_is_not_money_is_refused(text: str) -> None:
    with pytest.raises(units.BadAmount):
        units.to_units("USDT", Decimal(text))


@pytest.mark.parametrize("amount", [1.5, 1, "1", None, True])
def test_only_a_decimal_is_an_amount(amount: object) -> None:
    with pytest.raises(units.BadAmount):
        units.to_units("USDT", amount)  # type: ignore[arg-type]  # the point


def test_an_unknown_asset_is_refused() -> None:
    with pytest.raises(units.BadAmount):
        units.to_units("DOGE", Decimal(1))


@pytest.mark.parametrize(
    ("amount", "places", "shown"),
    [
        (1_500_000, None, "1.500000"),
        (1_500_000, 2, "1.50"),
        (1_234_567, 2, "1.234567"),
        (1_500_000, 8, "1.50000000"),
        (2_000_000, 0, "2"),
        (5, 2, "0.000005"),
        (0, 2, "0.00"),
        (-1_500_000, 2, "-1.50"),
    ],
)
def test_text_shows_at_least_the_places_and_loses_no_digit(amount: int, places: int | None, shown: str) -> None:
    assert units.text("USDT", amount, places) == shown


def test_a_trailing_zero_is_no_extra_place() -> None:
    assert units.to_units("USDT", Decimal("1.5000000000")) == 1_500_000
    assert units.to_units("USDT", Decimal("1E+3")) == 1_000_000_000
