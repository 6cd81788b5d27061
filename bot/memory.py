"""How a process holds memory: what stays for long is taken out of the way of Python's search for unused objects.

A full search goes through everything that is loaded, model and knowledge among it: a quarter of a second in which no turn goes on.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

M_ARENA_MAX = -8
"""The parameter of glibc's `mallopt(3)` for the number of its arenas."""
ARENAS = 2


def share_arenas() -> None:
    """To be called before there are threads: all of a process take memory from two arenas, not from eight for each core.

    What a thread gave back is then used by the others.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """To be called when something large was loaded: what it took the place of goes back to the system, and what there is now stays.

    No later search looks at it, and so none writes to it: processes that were forked share it.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)
