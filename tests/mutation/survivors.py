"""What `mutmut run` has left: a change that no test sees is killed, or explained in explained.yml, or `make mutation` fails."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import yaml

EXPLAINED = Path(__file__).with_name("explained.yml")
SEEN = ("killed", "timeout")


def _mutmut(*arguments: str) -> str:
    program = Path(sys.executable).with_name("mutmut")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def _function(name: str) -> str:
    """`services.tickets.xǁTicketsǁfile__mutmut_3` is a change of `services.tickets.Tickets.file`."""
    return re.sub(r"\.x(?:ǁ|_)", ".", re.sub(r"__mutmut_\d+$", "", name)).replace("ǁ", ".")


def _changed_line(name: str) -> str:
    added = [line[1:].strip() for line in _mutmut("show", name).splitlines() if re.match(r"\+(?!\+\+)", line)]
    return " ".join(added)


def survivors() -> Counter[tuple[str, str]]:
    """Function and changed line of each change that no test saw; the names of mutmut's own number anew when code moves."""
    found = re.findall(r"^\s+(\S+__mutmut_\d+): (.+)$", _mutmut("results"), re.MULTILINE)
    return Counter((_function(name), _changed_line(name)) for name, status in found if status not in SEEN)


def explained() -> Counter[tuple[str, str]]:
    groups = yaml.safe_load(EXPLAINED.read_text(encoding="utf-8"))
    return Counter((group["function"], change) for group in groups for change in group["changes"])


def main() -> int:
    left, known = survivors(), explained()
    for function, change in left - known:
        print(f"survives, and nothing explains it: {function}: {change}")
    for function, change in known - left:
        print(f"is explained, but does not survive: {function}: {change}")
    print(f"{left.total()} changes survive, {(left & known).total()} of them explained in {EXPLAINED.name}")
    return 0 if left == known else 1


if __name__ == "__main__":
    sys.exit(main())
