"""Files of payments as a stream of rows: CSV and XLSX, known by their content and not by their name.

The first line names the columns: address, amount and network, and a reference if there is one. Amounts are texts from
here on. A number in an XLSX file is a binary one by that format; its shortest decimal form is what was typed, as long
as it has no more than 15 digits, and a longer one is told to be formatted as text.
"""

import csv
import io
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

MOST_ROWS = 100_000
LARGEST_BYTES = 32 * 1024 * 1024
LONGEST_LINE = 4_000
XLSX_LARGEST_INSIDE = 512 * 1024 * 1024  # unpacked: a hundred thousand rows take a tenth of it
EXACT_DIGITS = 15
COLUMNS: Mapping[str, Sequence[str]] = {
    "address": ("address", "destination", "destination_address", "wallet", "recipient"),
    "amount": ("amount", "sum", "value"),
    "network": ("network", "blockchain", "chain"),
    "reference": ("reference", "ref", "id", "order_id", "note"),
}
NEEDED = ("address", "amount", "network")
NOT_EXACT = "\x00"  # in the place of an XLSX number that says more digits than it can hold


class BadFile(Exception):
    """The file cannot be read as payments; the text says why, in its reader's words."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One row as it stands in the file; `number` is its line, the header being the first."""

    number: int
    address: str
    amount: str
    network: str
    reference: str = ""


def rows(file: IO[bytes]) -> Iterator[Raw]:
    """The rows of a CSV or XLSX file, one after another; empty lines are passed over.

    Raises: BadFile, also in the midst of it.
    """
    start = file.read(4)
    file.seek(0)
    return _rows(_xlsx(file) if start == b"PK\x03\x04" else _csv(file))


def _rows(lines: Generator[tuple[int, Sequence[str]], None, None]) -> Iterator[Raw]:
    with closing(lines):
        yield from _read(lines)


def _read(lines: Iterator[tuple[int, Sequence[str]]]) -> Iterator[Raw]:
    header = next(lines, None)
    if header is None:
        raise BadFile("the file is empty")
    places = _places(header[1])
    found = 0
    for number, cells in lines:
        if not any(cells):
            continue
        found += 1
        if found > MOST_ROWS:
            raise BadFile(f"more than {MOST_ROWS:,} rows: split the file")
        said = {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
        yield Raw(number, said["address"], said["amount"], said["network"], said.get("reference", ""))
    if not found:
        raise BadFile("the file has a header and no rows")


def _places(header: Sequence[str]) -> dict[str, int]:
    titles = [cell.strip().lower().replace(" ", "_") for cell in header]
    places = {}
    for name, spellings in COLUMNS.items():
        fitting = [place for place, title in enumerate(titles) if title in spellings]
        if len(fitting) > 1:
            raise BadFile(f"two columns are called {name}")
        if fitting:
            places[name] = fitting[0]
    missing = [name for name in NEEDED if name not in places]
    if missing:
        raise BadFile(
            f"the first line must name the columns address, amount and network: no {' and no '.join(missing)}"
        )
    return places


def _csv(file: IO[bytes]) -> Generator[tuple[int, Sequence[str]], None, None]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        first = text.readline(LONGEST_LINE)
        text.seek(0)
        delimiter = max(",;\t", key=first.count)
        reader = csv.reader(_short(text), delimiter=delimiter, strict=True)
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except UnicodeDecodeError as error:
        raise BadFile("the file is not text in UTF-8") from error
    except csv.Error as error:
        raise BadFile(f"line {reader.line_num}: {error}") from error
    finally:
        text.detach()  # the file is the caller's to close


def _short(text: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(text, start=1):
        if len(line) > LONGEST_LINE or "\x00" in line:
            raise BadFile(f"line {number} is none of a list of payments")
        yield line


def _xlsx(file: IO[bytes]) -> Generator[tuple[int, Sequence[str]], None, None]:
    try:
        with zipfile.ZipFile(file) as inside:
            if sum(part.file_size for part in inside.infolist()) > XLSX_LARGEST_INSIDE:
                raise BadFile("the file is far larger inside than a list of payments")
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            for number, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
                yield number, [_cell(value) for value in cells]
        finally:
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, IndexError, ValueError, ET.ParseError) as error:
        raise BadFile("the file is no XLSX workbook that can be read") from error


def _cell(value: Any) -> str:
    return _AS_TEXT.get(type(value), str)(value).strip()


def _of_float(value: float) -> str:
    """The shortest decimal that is this number, without an exponent."""
    shortest = Decimal(repr(value))  # the text of it, not its binary value
    return f"{shortest:f}" if len(shortest.as_tuple().digits) <= EXACT_DIGITS else NOT_EXACT


_AS_TEXT: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda _nothing: "",
    float: _of_float,
    int: lambda value: str(value) if len(str(abs(value))) <= EXACT_DIGITS else NOT_EXACT,
}
