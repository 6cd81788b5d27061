"""Debian's programs that these tests run."""

from __future__ import annotations

import os
import shutil

LOCALE = {"LC_ALL": "C.UTF-8", "PATH": f"{os.environ['PATH']}:/usr/sbin:/usr/bin"}


def program(name: str, *folders: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([*folders, LOCALE["PATH"]]))
    assert found, f"{name} is not installed; .ci/run says how"
    return found
