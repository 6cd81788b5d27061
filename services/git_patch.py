"""Changes of text files as a patch that `git apply` takes."""

from __future__ import annotations

import difflib


def file_patch(path: str, before: str | None, after: str | None) -> str:
    """The part of one file; None for a file that is not there. Empty where nothing changes. `path` has "/" between its parts."""
    if before == after:
        return ""
    heading = [f"diff --git a/{path} b/{path}\n"]
    if before is None:
        heading.append("new file mode 100644\n")
    elif after is None:
        heading.append("deleted file mode 100644\n")
    names = ("/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}")
    lines = difflib.unified_diff(_lines(before or ""), _lines(after or ""), *names)
    return "".join([*heading, *(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)])


def _lines(text: str) -> list[str]:
    """At line feeds alone, as git does; `splitlines` would break at a dozen other characters."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
