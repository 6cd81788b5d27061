"""All journeys by name."""

from services import aspirations, information_requests, internships, objections, status_checks, visits
from services.journeys import Journey

JOURNEYS: dict[str, Journey] = {
    journey.name: journey
    for journey in (
        aspirations.JOURNEY,
        information_requests.JOURNEY,
        objections.JOURNEY,
        visits.JOURNEY,
        internships.JOURNEY,
        status_checks.SIMPEL,
        status_checks.TICKET,
    )
}
