"""Demo data of the embedded mode: one SIMPEL request in every status. Never loaded in production."""

from __future__ import annotations

from datetime import date

from sqlalchemy import delete

from services.simpel import Status
from store.database import Database
from store.encryption import Encryption
from store.models import SimpelRequest

DEMO_REQUESTS: dict[str, tuple[str, Status, date]] = {
    "DEMO-SMP-000101": ("7K4Q2A", Status.DRAFT, date(2026, 11, 16)),
    "DEMO-SMP-000102": ("M3X8PW", Status.FOCAL_POINT, date(2026, 11, 17)),
    "DEMO-SMP-000103": ("9TJ5RB", Status.SENT, date(2026, 11, 18)),
    "DEMO-SMP-000104": ("H6N2VC", Status.EXAMINED, date(2026, 11, 18)),
    "DEMO-SMP-000105": ("4ZD8KF", Status.RETURNED, date(2026, 11, 19)),
    "DEMO-SMP-000106": ("W7Q3YG", Status.APPROVED, date(2026, 11, 19)),
    "DEMO-SMP-000107": ("B5S9MH", Status.NOT_APPROVED, date(2026, 11, 13)),
    "DEMO-SMP-000108": ("X2E6TJ", Status.CANCELLED, date(2026, 11, 12)),
    "DEMO-SMP-000109": ("8PV4NK", Status.REPORT_DUE, date(2026, 11, 20)),
}
"""Number to access code, status and day of the last change."""


def load_demo_data(database: Database, encryption: Encryption) -> None:
    with database.session() as session:
        for number, (code, status, changed_on) in DEMO_REQUESTS.items():
            session.merge(
                SimpelRequest(
                    number=number,
                    access_code_hash=encryption.fingerprint("simpel", number, code),
                    status=status,
                    changed_on=changed_on,
                )
            )


def remove_demo_data(database: Database) -> None:
    """Production on a database that was tried out before."""
    with database.session() as session:
        session.execute(delete(SimpelRequest).where(SimpelRequest.number.in_(DEMO_REQUESTS)))
