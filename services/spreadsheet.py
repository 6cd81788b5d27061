"""Tables as files that spreadsheet programs open without running anything in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain

import xlsxwriter

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a program may take for the beginning of a formula, full-width forms included (OWASP, CSV injection)."""
LONGEST_CELL = 32_767
"""Characters: what Excel holds."""


def csv_file(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with a byte order mark, for Excel. A text that a program would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_cell(value) for value in heading])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def xlsx_file(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A workbook of one sheet. Texts are stored as texts: no formula, no link, whatever they begin with."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(heading) - 1, 22)
        last = 0
        for last, row in enumerate(chain([heading], rows)):
            for column, value in enumerate(row):
                if isinstance(value, bool) or value is None:
                    sheet.write_string(last, column, "" if value is None else str(value))
                elif isinstance(value, int | float):
                    sheet.write_number(last, column, value)
                else:
                    sheet.write_string(last, column, str(value)[:LONGEST_CELL], bold if last == 0 else None)
        sheet.autofilter(0, 0, last, len(heading) - 1)
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA_SIGNS):
        return f"'{value}"
    return "" if value is None else value
