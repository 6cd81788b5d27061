"""Every page of the desk by the name of its picture: one list for axe, for the pictures and for the test that none is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.teaching_day import Lessons, teach_and_write

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.desk_day import DeskDay

WIDTHS = (1280, 390)
PATIENCE_SECONDS = 120
"""So long a search with something new in it may take on a machine that others use too."""
DRAFT, VERSION = "/desk/knowledge/drafts/{draft_id}", "/desk/knowledge/entries/{entry_id}/versions/{version_id}"
PAGES = {
    "sign-in": "/desk/sign-in",
    "overview": "/desk/overview",
    "ppid": "/desk/overview/ppid",
    "queue": "/desk/queue",
    "take-over": "/desk/queue/{handoff_id}",
    "canned-replies": "/desk/canned-replies",
    "conversations": "/desk/conversations",
    "conversation": "/desk/conversations/{conversation_id}",
    "tickets": "/desk/tickets",
    "board": "/desk/tickets",
    "ticket": "/desk/tickets/{number}",
    "ticket-closed": "/desk/tickets/{number}",
    "letter": "/desk/tickets/{number}/letters/{letter}",
    "calendar": "/desk/tickets/calendar",
    "teach": "/desk/teach",
    "batches": "/desk/teach/batches",
    "batch": "/desk/teach/batches/{number}",
    "batch-approved": "/desk/teach/batches/{number}",
    "knowledge": "/desk/knowledge",
    "unanswered": "/desk/knowledge/unanswered",
    "editor": DRAFT,
    "preview": DRAFT,
    "proposal": DRAFT,
    "entry": "/desk/knowledge/entries/{entry_id}",
    "version": VERSION,
    "staff": "/desk/staff",
    "channels": "/desk/settings/channels",
    "hours": "/desk/settings/hours",
    "days-off": "/desk/settings/days-off",
    "retention": "/desk/settings/retention",
    "health": "/desk/settings/health",
    "audit": "/desk/audit",
    "account": "/desk/account",
}
"""Name to route. A route whose page looks different from state to state stands more than once."""
NO_PAGES = {
    "/desk",
    "/desk/settings",
    "/desk/account/here",
    "/desk/calendar/{token}.ics",
    "/desk/conversations/export.{form}",
    "/desk/knowledge/entries/{entry_id}.md",
    "/desk/knowledge/knowledge.patch",
    "/desk/oidc/callback",
    "/desk/oidc/start",
    "/desk/overview/ppid.csv",
    "/desk/overview/{name}.csv",
    "/desk/overview/{name}.svg",
    "/desk/queue/events",
    "/desk/queue/list",
    "/desk/queue/{handoff_id}/events",
    "/desk/queue/{handoff_id}/messages",
    "/desk/static/{name}",
    "/desk/teach/batches/approved.patch",
    "/desk/teach/batches/{number}/patch",
    "/desk/tickets/{number}/files/{file_id}",
}
"""Routes that give a file, a part of a page, a stream, or the way to a page."""

TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.body.querySelectorAll("*")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll, .chart"))
  .map((one) => one.outerHTML.slice(0, 120))"""
"""What makes a page scroll sideways."""


def addresses(day: DeskDay, handoff_id: int, lessons: Lessons) -> dict[str, str]:
    """Name to address, of the pages whose address is not their route."""
    return {
        "take-over": f"/desk/queue/{handoff_id}",
        "canned-replies": "/desk/canned-replies?edit=sapa",
        "conversation": f"/desk/conversations/{day.newest_conversation()}",
        "board": "/desk/tickets?view=board",
        "ticket": f"/desk/tickets/{day.requests[0]}",
        "ticket-closed": f"/desk/tickets/{day.refused}",
        "letter": f"/desk/tickets/{day.refused}/letters/penolakan",
        "batch": f"/desk/teach/batches/{lessons.proposed_batch}",
        "batch-approved": f"/desk/teach/batches/{lessons.approved_batch}",
        "editor": lessons.draft,
        "preview": f"{lessons.draft}?attempt=1",
        "proposal": lessons.proposal,
        "entry": lessons.entry,
        "version": f"{lessons.entry}/versions/0",
        "audit": "/desk/audit?verify=true",
    }


def prepare(day: DeskDay) -> dict[str, str]:
    """Name to address of every page, with something to see on each."""
    day.services.canned_replies.add_examples("sri")
    day.services.retention.purge()
    lessons = teach_and_write(day)
    day.somebody_waits("saya sudah tiga kali ditolak, tolong dibantu")
    handoff_id = day.somebody_waits()
    day.handoffs.take(handoff_id, "sri")
    day.handoffs.say(handoff_id, "sri", "Selamat pagi, boleh tahu alasan pengembaliannya?")
    day.services.conversation_notes.add(day.newest_conversation(), "budi", "Sudah menelepon kemarin; berkasnya ada pada Biro Umum.")
    return {**PAGES, **addresses(day, handoff_id, lessons)}


def visit(page: Page, name: str, address: str) -> None:
    """Open the page and wait until what it shows is there."""
    response = page.goto(address, timeout=PATIENCE_SECONDS * 1000)
    assert response and response.status == 200, (name, address)
    if name == "unanswered":
        page.locator(".group").first.wait_for(timeout=PATIENCE_SECONDS * 1000)  # the page loads itself anew until the groups are found
