"""Hold the widget to its budget: python widget/check_size.py [WIDGET_JS]

Counts what a visitor's browser loads for launcher and chat: the module and every module that it imports, each packed as
the server packs it (gzip with zlib at level 9). Ends with 1 when that is more than 15 x 1024 bytes.
"""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path

BUDGET = 15 * 1024
WIDGET = Path(__file__).with_name("widget.js")
IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']""")


def weight(module: Path, counted: set[Path]) -> int:
    """Bytes of a module and of what it imports that is not in `counted` yet."""
    if module in counted:
        return 0
    counted.add(module)
    source = module.read_bytes()
    imported = IMPORT.findall(source.decode("utf-8"))
    return len(gzip.compress(source, 9)) + sum(weight((module.parent / name).resolve(), counted) for name in imported)


def main(module: Path) -> int:
    size = weight(module.resolve(), set())
    sys.stdout.write(f"{module.name}: {size:,} of {BUDGET:,} bytes\n")
    if size > BUDGET:
        sys.stderr.write(f"The widget is {size - BUDGET:,} bytes too heavy: shorten code or texts; the budget stays.\n")
    return int(size > BUDGET)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else WIDGET))
