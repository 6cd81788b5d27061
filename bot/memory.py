"""What a process holds for long, taken out of the way of Python's search for unused objects.

A full search goes through everything that is loaded, model and knowledge among it: a quarter of a second in which no turn goes on.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress


def settle() -> None:
    """To be called when something large was loaded: what it took the place of goes back to the system, and what there is now stays.

    No later search looks at it, and so none writes to it: processes that were forked share it.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)
