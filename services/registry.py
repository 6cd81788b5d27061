"""All journeys by name, and the one that files each kind of ticket."""

from services import aspirations, information_requests, internships, objections, status_checks, ticket_follow_ups, visits
from services.journeys import Journey
from services.tickets import Kind

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
        ticket_follow_ups.NOTE,
        ticket_follow_ups.WITHDRAWAL,
        ticket_follow_ups.RATING,
    )
}
OPENED_BY: dict[str, Journey] = {journey.opened_by: journey for journey in JOURNEYS.values() if journey.opened_by}
"""The journey that an intent begins."""
COMPLAINT = "report_complaint"
ERRANDS = {COMPLAINT, *OPENED_BY}
"""Intents of what a citizen may want done, and may turn to in the middle of something else."""
JOURNEY_OF: dict[Kind, Journey] = {
    Kind.ASPIRATION: aspirations.JOURNEY,
    Kind.INFORMATION_REQUEST: information_requests.JOURNEY,
    Kind.OBJECTION: objections.JOURNEY,
    Kind.VISIT: visits.JOURNEY,
    Kind.INTERNSHIP: internships.JOURNEY,
}
"""Says which fields of a ticket are personal, and which hold what was asked."""
