"""Reads a message of a citizen: which button it presses, what it means, and what of it the log may keep."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any

from bot.assistant import Assistant
from bot.messages import MAX_CHARACTERS, Inbound, without_commands
from bot.nlu.follow_ups import FOLLOW_UP
from bot.nlu.intents import FALLBACK
from bot.shortcuts import (
    PAYLOAD,
    awaited_field,
    button_meant,
    errand_named,
    errand_of_kind,
    goes_on,
    is_offered,
    parsed_as,
    still_standing,
    tried_again,
    without_language,
)
from services.commands import find_command, find_ordinal
from services.complaints import CORRUPTION, kind_of
from services.dangers import CRISIS, danger_of, is_hardly_one, only_looks_like_one, service_asked_for
from services.drafts import Drafts
from services.follow_ups import AGAINST_THE_ANSWER, NOTE_ON_TICKET, OF_TICKET, After, LastSaid, Meant, intent_meant
from services.journeys import CONFIRMATION
from services.open_dangers import SLOT as OPEN_DANGER
from services.open_dangers import OpenDanger, calls_for_help, rest_after_denial
from services.privacy import mask
from services.read_back import asks_what_a_number_is, takes_back, wants_choices
from services.registry import ERRANDS, JOURNEY_OF, JOURNEYS, OPENED_BY
from services.remarks import is_question, is_small_talk, rejects, tells_who, turned_to, wants_again
from services.status_checks import TICKET, is_code_alone, mask_factors
from services.ticket_follow_ups import NOTE
from services.ticket_wishes import Reach, Wish, find_wish, keeps, may_wish, still_open, ticket_meant, told_note
from services.tickets import Kind, Tickets
from store.conversations import Conversations, Opening
from store.database import utc_now
from store.models import Button as IssuedButton

PERSONAL = "[data pribadi]"
"""Stands for an answer to a form that holds a name or an address, though another question was open."""
LEANS_FROM = 0.5
"""Probability from which a message leans on what was said last."""
SURE_OF_NO_DANGER = 0.95
"""That from which it does though it sounds like a danger in no words of one."""
OF_ITSELF, AGAINST_ITSELF = 0.98, 0.95
"""From the first, an intent with an answer of its own needs no light from before; the second overrules it."""
SURE_OF_ERRAND = 0.6
"""From which a message that opens a form by itself is no wish to withdraw what was filed."""
UNSURE_ALONE = {"ask_information", "out_of_scope", FALLBACK, "affirm", "deny", "cancel", "correct_answer", "help"}
"""Intents that a message has by itself which leans on what was said, however likely."""
LEAST_LIKELY = 0.3
"""Under it no intent is meant, once the danger is left out that a message only sounds like."""
SURE_IN_DANGER = 0.6
"""Probability from which an errand or a question is served while a danger is open."""
IDLE = {"thank", "goodbye", "affirm", "deny", "cancel", "greet", "praise_bot", "criticise_bot", "insult", "out_of_scope", FALLBACK}
"""Intents of a message that asks nothing of the assistant, and may be about the danger that is open."""
OVERRULED = {"ask_information", "report_complaint", "help"}
"""What a message is taken for that calls for help in the danger that is open: "ada tempat aman tidak"."""
WAVED_OFF = {"deny", "cancel", "correct_answer", "out_of_scope", FALLBACK}
"""What a rejection of the answer before is taken for: "bukan itu"."""
BETWEEN, LONG_BETWEEN = 1, 5
"""So many messages a citizen may write before a number still presses a button, and before choices are no more asked for again."""
END = 500
"""So many characters of either end of a text that can't be a turn are read, for a cry for help."""
NOT_COLLECTED = "[isi laporan tidak dicatat]"
"""Stands in tracker and log for a report of corruption, which only those who investigate may read."""


@dataclass(frozen=True)
class Meaning:
    parsed: dict[str, Any]
    words: str
    """As forms shall read them."""
    value_of: str | None
    """The field that a form has asked for, or would ask for: what the log may keep of the words depends on it."""
    follows: LastSaid | None = None
    """What was said last, where the message leans on it."""
    denies: bool = False
    """It lets go of a danger; `words` are those after that."""
    slots: dict[str, Any] = field(default_factory=dict)
    """Which it sets before it is answered."""


class Understanding:
    def __init__(self, assistant: Assistant, conversations: Conversations, drafts: Drafts, tickets: Tickets) -> None:
        self._assistant = assistant
        self._conversations = conversations
        self._drafts = drafts
        self._tickets = tickets

    async def pressed(self, inbound: Inbound, offered: list[IssuedButton], awaited: str | None) -> IssuedButton | None:
        """The issued button that was pressed, or the one of those `offered` last that the typed words or number mean."""
        if inbound.payload is not None:
            return IssuedButton(label=inbound.text, payload=inbound.payload)
        if inbound.button is None:
            meant = button_meant(inbound.text, offered, awaited)
            if meant or offered or awaited or find_ordinal(inbound.text) is None:
                return meant
            return button_meant(inbound.text, await self._choices(inbound.conversation_id, offered, awaited, BETWEEN))
        pressed = await asyncio.to_thread(self._conversations.button, inbound.conversation_id, inbound.button)
        if pressed is None or PAYLOAD.fullmatch(pressed.payload) or is_offered(pressed, offered):
            return pressed
        # Its payload answers a question, which must be the one that is open now.
        answered = await asyncio.to_thread(self._conversations.written_since, pressed, inbound.external_id)
        return None if answered else pressed

    async def choices_wanted(
        self, conversation_id: str, text: str, offered: list[IssuedButton], awaited: str | None
    ) -> list[IssuedButton]:
        """The choices that `text` asks to hear again; empty where it asks for something else, or there are none."""
        of_a_number = asks_what_a_number_is(text) and awaited_field(awaited) is not CONFIRMATION
        return await self._choices(conversation_id, offered, awaited, LONG_BETWEEN) if of_a_number or wants_choices(text) else []

    async def _choices(
        self, conversation_id: str, offered: list[IssuedButton], awaited: str | None, between: int
    ) -> list[IssuedButton]:
        """What there is to choose from: the buttons `offered` last, outside a form also those before `between` messages."""
        if offered or awaited:
            return offered
        return still_standing(await asyncio.to_thread(self._conversations.offered_last, conversation_id, between))

    async def meaning(self, opening: Opening, text: str, pressed: IssuedButton | None) -> Meaning:
        """What the message means where the conversation stands, be it that a form has asked for something."""
        conversation_id, awaited, offered = opening.conversation.id, opening.conversation.awaited_field, opening.offered
        command = PAYLOAD.fullmatch(pressed.payload) if pressed else None
        if command:
            return Meaning(parsed_as(command[1], json.loads(command[2] or "{}")), text, awaited)
        if pressed is None and awaited is None:
            last, danger = await self._assistant.said_before(conversation_id, opening.tracker_row)
            let_go = await self._answering(text, danger) if danger else None
            let_go = let_go or (await self._denying(conversation_id, text, offered, danger) if danger else None)
            return let_go or await self._free(conversation_id, text, offered, last, danger)
        meant = pressed.payload if pressed else text
        parsed = await self._understood(meant, in_form=awaited is not None)
        if wanted := turned_to(meant):
            other = await self._understood(wanted)
            parsed = other if other["intent"]["name"] in ERRANDS else parsed
        return Meaning(without_language(parsed) if awaited and not is_question(meant) else parsed, meant, awaited)

    async def _wished(self, conversation_id: str, text: str, last: LastSaid | None) -> Meaning | None:
        """What `text` wants done with a ticket, in words that leave no doubt. A danger in it goes before."""
        shows_code = is_code_alone(text)
        if not shows_code and not may_wish(text):
            return None
        opened = still_open(await self._assistant.opened_ticket(conversation_id), utc_now())
        own = [ticket.number for ticket in await asyncio.to_thread(self._tickets.of_conversation, conversation_id)]
        numbers = list(dict.fromkeys([*([opened] if opened else []), *own]))
        said = last.about if last and last.after is After.TICKET and last.about in numbers else None
        named = ticket_meant(text, numbers)
        number = named if named in numbers else None if named else said or opened or (own[0] if len(own) == 1 else None)
        reach = Reach.LAST if said else Reach.AT_HAND if numbers else Reach.NONE
        wish = find_wish(text, reach, numbers)
        if wish is None and shows_code and number:
            wish = Wish.STATUS
        entry = _against_the_answer(text, number) if wish is Wish.OBJECT else None
        if wish is None or (wish is Wish.OBJECT and entry is None):
            return None
        parsed = await self._understood(text, last)
        if parsed["intent"]["name"] == CRISIS:
            return None
        if entry:
            return Meaning(_understood_as(parsed, "ask_information", {"entry": entry, "wish": wish.value}), text, None)
        is_new = wish is Wish.NEW
        intent, entities = (_errand_anew(text, number or numbers[0]), {}) if is_new else _ticket_errand(wish, number)
        value_of = f"{TICKET.name}_code" if shows_code else None
        return _noted(Meaning(_understood_as(parsed, intent, entities), text, value_of, last if said else None))

    async def _free(
        self, conversation_id: str, text: str, offered: list[IssuedButton], last: LastSaid | None, danger: OpenDanger | None
    ) -> Meaning:
        """What words mean outside a form and without a button."""
        called_off = last.about if last and last.after is After.CANCELLED else None
        last = None if called_off else last
        again = tried_again(text, offered)
        if again is None and (wished := await self._wished(conversation_id, text, last)):
            return wished
        errand, field = again or (errand_named(text), None)
        if errand is None and goes_on(text):
            left = await asyncio.to_thread(self._drafts.newest, conversation_id)
            errand = JOURNEYS[left].opened_by if left in JOURNEYS else None
        if errand is None and called_off and takes_back(text):
            errand = called_off
        if errand:
            return Meaning(parsed_as(errand, {}), text, field)
        meaning = await self._after(text, last)
        if (
            last
            and last.after is After.ENTRY
            and (wants_again(text) or (meaning.parsed["intent"]["name"] in WAVED_OFF and rejects(text)))
        ):
            meaning = Meaning(_understood_as(meaning.parsed, "ask_information", {}), text, None, last)
        if danger and danger.is_of_writer and not meaning.follows and last and last.after is not After.CRISIS:
            about = await self._after(text, LastSaid(After.CRISIS, danger.kind))
            meaning = about if about.parsed["intent"]["name"] == CRISIS else meaning
        return _noted(in_danger(meaning, text, danger) if danger and danger.is_of_writer else meaning)

    async def _after(self, text: str, last: LastSaid | None) -> Meaning:
        parsed = await self._understood(text, last)
        return leaning(parsed, text, last) if last else Meaning(parsed, text, None)

    async def _answering(self, text: str, danger: OpenDanger) -> Meaning | None:
        """What a message means that lets go of the danger by answering what a form had asked for when that was heard."""
        field_asked, journey = awaited_field(danger.asked), JOURNEYS.get((danger.asked or "").partition("_")[0])
        if not (field_asked and journey and journey.opened_by and danger.is_answered_instead(text, field_asked)):
            return None
        if (await self._understood(text, in_form=True))["intent"]["name"] == CRISIS:
            return None
        return Meaning(parsed_as(journey.opened_by, {}), text, danger.asked, denies=True)

    async def _denying(self, conversation_id: str, text: str, offered: list[IssuedButton], danger: OpenDanger) -> Meaning | None:
        """What a message means that lets go of the danger: what else it says, or no more than that. None for any other message."""
        rest, before = rest_after_denial(text), LastSaid.read(danger.before)
        if rest is None:
            return None
        meaning = await self._free(conversation_id, rest, offered, before, None) if rest else None
        if meaning and meaning.parsed["intent"]["name"] == CRISIS:
            return None
        if meaning is None or meaning.parsed["intent"]["name"] in IDLE - {FALLBACK}:
            meaning = Meaning(parsed_as(CRISIS, {}), text, None)
        return replace(meaning, denies=True, slots={OPEN_DANGER: None, "last_said": danger.before})

    async def _understood(self, text: str, last: LastSaid | None = None, *, in_form: bool = False) -> dict[str, Any]:
        return calmed(await asyncio.to_thread(self._assistant.understand, text, last), text, in_form=in_form)

    async def danger_in(self, text: str) -> str | None:
        """The beginning or the end of a text that can't be a turn, whichever tells of a danger."""
        for end in dict.fromkeys((without_commands(text[:END]), without_commands(text[-END:]))):
            if any(character.isalpha() for character in end) and await self._is_crisis(end):
                return end
        return None

    async def aside(self, text: str) -> Meaning:
        """What a visible text means that the assistant only listens to; `words` are those that tell of a danger if it is one."""
        if len(text) > MAX_CHARACTERS and (danger := await self.danger_in(text)):
            return Meaning(parsed_as(CRISIS, {}), danger, None)
        return Meaning(await self._understood(text[:MAX_CHARACTERS]), text, None)

    async def _is_crisis(self, text: str) -> bool:
        return bool((await self._understood(text))["intent"]["name"] == CRISIS)


def _errand_anew(text: str, number: str) -> str:
    """The intent that begins another errand: of the kind that is named, or of this ticket's."""
    return errand_of_kind(text) or str(JOURNEY_OF[Kind(number[:3])].opened_by)


def _against_the_answer(text: str, number: str | None) -> str | None:
    """The entry on what can be done about a late or unwelcome answer: to this ticket, or to any request for information."""
    kind = Kind(number[:3]) if number else Kind.INFORMATION_REQUEST
    return AGAINST_THE_ANSWER.get(Kind.OBJECTION if "keberatan" in text.lower() else kind)


def _ticket_errand(wish: Wish, number: str | None) -> tuple[str, dict[str, str]]:
    """Intent and entities of a wish; without a ticket to act on, number and code are asked for first."""
    if number is None:
        return str(TICKET.opened_by), {"wish": wish.value}
    return OF_TICKET.get(wish, str(TICKET.opened_by)), {"ticket_number": number, "wish": wish.value}


def _understood_as(parsed: dict[str, Any], name: str, entities: dict[str, str], confidence: float = 1.0) -> dict[str, Any]:
    """`parsed` with another intent."""
    intent = {"name": name, "confidence": confidence}
    ranking = [intent, *(one for one in parsed["intent_ranking"] if one["name"] != name)]
    kept = [one for one in parsed["entities"] if one["entity"] not in entities]
    listed = [*kept, *({"entity": entity, "value": value} for entity, value in entities.items())]
    return {**parsed, "intent": intent, "intent_ranking": ranking, "entities": listed}


def _noted(meaning: Meaning) -> Meaning:
    """The same, with the words taken for a note where they are one told at once: the log keeps none of it."""
    is_note = meaning.parsed["intent"]["name"] == NOTE_ON_TICKET and told_note(meaning.words) is not None
    return replace(meaning, value_of=f"{NOTE.name}_{NOTE.fields[0].name}") if is_note else meaning


def leaning(parsed: dict[str, Any], text: str, last: LastSaid) -> Meaning:
    """What `text` means after `last`, or by itself where it doesn't lean on that. A danger goes before all."""
    follow_up = parsed.get(FOLLOW_UP, {"meant": Meant.OWN, "confidence": 0.0})
    meant, confidence = intent_meant(Meant(follow_up["meant"]), last), follow_up["confidence"]
    alone = parsed["intent"]
    needed = AGAINST_ITSELF if alone["confidence"] >= OF_ITSELF and alone["name"] not in UNSURE_ALONE else LEANS_FROM
    is_danger = False
    if alone["name"] == CRISIS and not (meant and meant[0] == CRISIS):
        asks = service_asked_for(text) is not None
        is_danger, needed = not asks and danger_of(text) is not None, LEANS_FROM if asks else SURE_OF_NO_DANGER
    is_other = meant is not None and meant[0] == OF_TICKET[Wish.WITHDRAW] and (keeps(text) or _names_another_errand(alone))
    if meant is None or is_danger or is_other or confidence < needed or (meant[0] == CRISIS and only_looks_like_one(text)):
        return Meaning(parsed, text, None)
    name, entities = meant
    return Meaning(_understood_as(parsed, name, entities, confidence), text, None, last)


def _names_another_errand(alone: dict[str, Any]) -> bool:
    """Whether a message opens a form by itself, likelier than not: to object is no wish to withdraw."""
    return alone["name"] in OPENED_BY and alone["name"] != OF_TICKET[Wish.WITHDRAW] and alone["confidence"] >= SURE_OF_ERRAND


def in_danger(meaning: Meaning, text: str, danger: OpenDanger) -> Meaning:
    """What words mean while a danger is open: that, unless they ask clearly for something else."""
    if meaning.parsed["intent"]["name"] == CRISIS or is_served(meaning, text):
        return meaning
    parsed = _understood_as(meaning.parsed, CRISIS, {}, meaning.parsed["intent"]["confidence"])
    return Meaning(parsed, text, None, LastSaid(After.CRISIS, danger.kind))


def is_served(meaning: Meaning, text: str) -> bool:
    """Whether a message asks clearly enough for something else than help in the danger that is open."""
    intent, confidence = meaning.parsed["intent"]["name"], meaning.parsed["intent"]["confidence"]
    if intent in IDLE or (intent == "report_complaint" and kind_of(text) is None):
        return False
    called = calls_for_help(text)
    if called and intent in OVERRULED:
        return False
    return bool(confidence >= (OF_ITSELF if called or intent == "help" else SURE_IN_DANGER))


def calmed(parsed: dict[str, Any], text: str, *, in_form: bool = False) -> dict[str, Any]:
    """The understanding without a danger that the words only sound like."""
    is_none = only_looks_like_one(text) or is_hardly_one(text, parsed["intent"]["confidence"], in_form=in_form)
    if parsed["intent"]["name"] != CRISIS or not is_none:
        return parsed
    ranking = [one for one in parsed["intent_ranking"] if one["name"] != CRISIS]
    if not ranking or ranking[0]["confidence"] < LEAST_LIKELY:
        ranking.insert(0, {"name": FALLBACK, "confidence": 1 - (ranking[0]["confidence"] if ranking else 0.0)})
    return {**parsed, "intent": ranking[0], "intent_ranking": ranking}


@dataclass(frozen=True)
class MaskedText:
    text: str
    warn: bool
    """Personal data stood where nobody had asked for it."""


def masked(text: str, parsed: dict[str, Any], awaited: str | None) -> MaskedText:
    """The message as tracker and log may keep it, given the field that was asked for."""
    field_asked = awaited_field(awaited)
    if field_asked and field_asked.personal and not _is_interruption(text, parsed):
        return MaskedText(f"[{field_asked.label}]", warn=False)
    if field_asked and tells_who(text):
        return MaskedText(PERSONAL, warn=False)
    complaint = kind_of(text) if parsed["intent"]["name"] == "report_complaint" else None
    if complaint and complaint.name == CORRUPTION:
        return MaskedText(NOT_COLLECTED, warn=False)
    found = mask(mask_factors(text))
    return MaskedText(found.text, warn=bool(found.found))


def _is_interruption(text: str, parsed: dict[str, Any]) -> bool:
    """Whether the message can be read as it is, though a personal value was asked for.

    By its words and not by its intent: names and addresses have any intent, mostly `out_of_scope`.
    """
    if parsed["intent"]["name"] == NOTE_ON_TICKET:
        return False
    return parsed["intent"]["name"] == CRISIS or bool(find_command(text)) or is_question(text, wholly=True) or is_small_talk(text)
