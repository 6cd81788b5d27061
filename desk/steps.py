"""What a form asks for is done and the browser led on; where a rule says no, the page comes again and says why."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import HTTPException
from fastapi.responses import RedirectResponse, Response

from services.refused import Refused


def led_on(act: Callable[[], str], again: Callable[[str], Response]) -> Response:
    """Do it and go to the address that it gives; `again` shows the page with the name of a problem. 404 for what is not there."""
    try:
        target = act()
    except KeyError as unknown:
        raise HTTPException(404) from unknown
    except Refused as refused:
        return again(refused.problem.value)
    return RedirectResponse(target, 303)
