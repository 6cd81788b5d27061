"""The composition root: puts the services together, once, from the settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial

from services import answerability
from services.attempts import AttemptLimiter
from services.audit import AuditLog
from services.calendar import Overrides, WorkingCalendar
from services.canned_replies import CannedReplies
from services.channels import Channels
from services.conversation_export import ConversationExport
from services.conversation_log import ConversationLog
from services.conversation_notes import ConversationNotes
from services.daily_figures import DailyFigures
from services.demo import load_demo_data, remove_demo_data
from services.desk_sessions import DeskSessions
from services.desk_settings import DeskSettings, Name
from services.drafts import Drafts
from services.due_calendar import DueCalendar
from services.encoder import CachingEncoder, open_encoder
from services.follow_up_search import FollowUpSearch
from services.follow_up_search import read as read_follow_ups
from services.handoff import Handoffs
from services.health import Health
from services.knowledge import Knowledge
from services.knowledge_catalogue import KnowledgeCatalogue
from services.knowledge_editing import KnowledgeEditing
from services.knowledge_preview import KnowledgePreview
from services.model_choice import ModelChoices
from services.officer_typing import OfficerTyping
from services.operation import Operation
from services.overview import Overview
from services.own_data import OwnData
from services.ppid_report import PpidReports
from services.published_knowledge import PublishedKnowledge
from services.receipts import Receipts
from services.reminders import Reminders
from services.retention import Retention
from services.second_factor import SecondFactor
from services.service_hours import ServiceHours, Span, read_spans, service_hours_file
from services.settings import PROJECT, Settings
from services.sign_in import SignIn
from services.simpel import HttpSimpelDirectory, SimpelDirectory, SimpelService, SqlSimpelDirectory, keyed_hash
from services.staff import Staff
from services.teaching import Teaching
from services.teaching_batches import TeachingBatches
from services.ticket_changes import TicketChanges
from services.ticket_desk import TicketDesk
from services.ticket_duplicates import TicketDuplicates
from services.ticket_files import TicketFiles
from services.ticket_list import TicketList
from services.tickets import Tickets
from services.unanswered import UnansweredQuestions
from services.untold import UntoldEvents
from services.wakeups import Wakeups
from store.conversations import Conversations
from store.database import Database
from store.encryption import Encryption, open_encryption
from store.job_runs import JobRuns


@dataclass(frozen=True)
class Services:
    settings: Settings
    database: Database
    encryption: Encryption
    wakeups: Wakeups
    calendar: WorkingCalendar
    hours: ServiceHours
    conversations: Conversations
    knowledge: Knowledge
    simpel: SimpelService
    tickets: Tickets
    ticket_changes: TicketChanges
    ticket_duplicates: TicketDuplicates
    receipts: Receipts
    reminders: Reminders
    drafts: Drafts
    handoffs: Handoffs
    officer_typing: OfficerTyping
    untold: UntoldEvents
    own_data: OwnData
    model_choices: ModelChoices
    conversation_log: ConversationLog
    conversation_export: ConversationExport
    conversation_notes: ConversationNotes
    canned_replies: CannedReplies
    desk_settings: DeskSettings
    channels: Channels
    retention: Retention
    health: Health
    operation: Operation
    job_runs: JobRuns
    audit: AuditLog
    staff: Staff
    desk_sessions: DeskSessions
    second_factor: SecondFactor
    sign_in: SignIn
    ticket_list: TicketList
    ticket_files: TicketFiles
    ticket_desk: TicketDesk
    due_calendar: DueCalendar
    overview: Overview
    daily_figures: DailyFigures
    ppid_reports: PpidReports
    teaching: Teaching
    teaching_batches: TeachingBatches
    knowledge_catalogue: KnowledgeCatalogue
    knowledge_editing: KnowledgeEditing
    knowledge_preview: KnowledgePreview
    unanswered: UnansweredQuestions


@cache
def settings() -> Settings:
    return Settings()


@cache
def shared_encoder() -> CachingEncoder:
    """One model in memory for intents and knowledge alike."""
    return open_encoder(settings().data_dir / "cache", settings().encoder_threads)


_in_use: list[Services] = []


def services() -> Services:
    """Everything that actions and channels call. Opens the database and brings its schema up to date at the first call."""
    if not _in_use:
        use(assemble(settings()))
    return _in_use[-1]


def use(assembled: Services) -> None:
    """Make these the services of this process, for a test or another composition."""
    _in_use[:] = [assembled]


@cache
def follow_up_search() -> FollowUpSearch:
    return FollowUpSearch(read_follow_ups(), shared_encoder())


def assemble(configured: Settings, knowledge: Knowledge | None = None) -> Services:
    """New services from these settings; `knowledge` that is loaded already may be shared."""
    database, encryption = _opened(configured)
    audit = AuditLog(database)
    desk_settings = DeskSettings(database, audit)
    calendar, hours = _working_time(configured, desk_settings)
    attempts = AttemptLimiter(database)
    wakeups = Wakeups(configured.redis_url)
    conversations = Conversations(database, encryption, wakeups.publish)
    drafts = Drafts(database, encryption)
    tickets = Tickets(database, encryption, calendar, attempts)
    ticket_changes = TicketChanges(database, encryption, calendar)
    desk_sessions = DeskSessions(database, audit)
    staff = Staff(database, audit, desk_sessions)
    second_factor = SecondFactor(database, encryption, audit, staff)
    ticket_list = TicketList(database, calendar)
    ticket_files = TicketFiles(
        database,
        encryption,
        configured.data_dir / "files",
        megabytes=configured.file_megabytes,
        scanner=configured.clamd,
        hours=configured.receipt_hours,
        address=configured.address,
    )
    published = PublishedKnowledge(database)
    knowledge = knowledge or Knowledge(configured.knowledge_dir, shared_encoder(), published, follow_up_search(), answerability.read())
    catalogue = KnowledgeCatalogue(knowledge, published, audit, configured.knowledge_dir)
    teaching = Teaching(database, audit, PROJECT)
    channels, job_runs = Channels(desk_settings), JobRuns(database)
    retention = Retention(database, desk_settings, conversations, ticket_changes, audit)
    log = ConversationLog(database, conversations)
    return Services(
        settings=configured,
        database=database,
        encryption=encryption,
        wakeups=wakeups,
        calendar=calendar,
        hours=hours,
        conversations=conversations,
        knowledge=knowledge,
        simpel=SimpelService(_simpel_directory(configured, database, encryption), attempts, encryption),
        tickets=tickets,
        ticket_changes=ticket_changes,
        ticket_duplicates=TicketDuplicates(database, encryption),
        receipts=Receipts(database, encryption, configured.receipt_hours, configured.address),
        reminders=Reminders(database, calendar),
        drafts=drafts,
        handoffs=Handoffs(database, conversations, drafts, hours),
        officer_typing=OfficerTyping(database, conversations),
        untold=UntoldEvents(database),
        own_data=OwnData(database, encryption, conversations, tickets, configured.address, ticket_changes.pseudonymise),
        model_choices=ModelChoices(database),
        conversation_log=log,
        conversation_export=ConversationExport(log),
        conversation_notes=ConversationNotes(database, encryption, audit),
        canned_replies=CannedReplies(database, audit),
        desk_settings=desk_settings,
        channels=channels,
        retention=retention,
        health=Health(database, knowledge, audit, channels, retention, job_runs),
        operation=Operation(database, encryption, calendar, job_runs, configured.data_dir),
        job_runs=job_runs,
        audit=audit,
        staff=staff,
        desk_sessions=desk_sessions,
        second_factor=second_factor,
        sign_in=SignIn(staff, desk_sessions, second_factor, attempts, encryption),
        ticket_list=ticket_list,
        ticket_files=ticket_files,
        ticket_desk=TicketDesk(tickets, ticket_changes, ticket_files, staff, audit),
        due_calendar=DueCalendar(database, ticket_list, audit, configured.address),
        overview=Overview(database, calendar),
        daily_figures=DailyFigures(database),
        ppid_reports=PpidReports(database, calendar),
        teaching=teaching,
        teaching_batches=TeachingBatches(database, audit, teaching),
        knowledge_catalogue=catalogue,
        knowledge_editing=KnowledgeEditing(database, audit, knowledge, catalogue),
        knowledge_preview=KnowledgePreview(knowledge),
        unanswered=UnansweredQuestions(database, knowledge, shared_encoder),
    )


def _opened(configured: Settings) -> tuple[Database, Encryption]:
    """The database with the schema of this version, and demo data where it is not in production."""
    database = Database(configured.database)
    encryption = open_encryption(configured.keys, configured.data_dir)
    with database.starting():
        database.migrate(encryption)
        if configured.environment == "production":
            remove_demo_data(database)
        else:
            load_demo_data(database, encryption)
    return database, encryption


def _working_time(configured: Settings, desk_settings: DeskSettings) -> tuple[WorkingCalendar, ServiceHours]:
    """Working days and service hours: those of the files, or what staff have set in their place."""

    def days_off() -> Overrides | None:
        given = desk_settings.get(Name.DAYS_OFF)
        return Overrides.read(given) if given else None

    def spans() -> dict[int, tuple[Span, ...]] | None:
        given = desk_settings.get(Name.SERVICE_HOURS)
        return read_spans(Name.SERVICE_HOURS, given) if given else None

    of_law = WorkingCalendar.from_file(PROJECT / "services" / "calendar_overrides.yml", configured.cut_off)
    calendar = replace(of_law, at_desk=days_off)
    return calendar, ServiceHours.from_file(service_hours_file(configured.data_dir), calendar, spans)


def _simpel_directory(configured: Settings, database: Database, encryption: Encryption) -> SimpelDirectory:
    if configured.simpel_url:
        return HttpSimpelDirectory(configured.simpel_url, configured.simpel_token)
    if configured.simpel_database_url:
        database = Database(configured.simpel_database_url)
    if configured.simpel_hash_key:
        hash_code = partial(keyed_hash, configured.simpel_hash_key)
    else:
        hash_code = partial(encryption.fingerprint, "simpel")
    return SqlSimpelDirectory(database, hash_code, configured.simpel_relation)
