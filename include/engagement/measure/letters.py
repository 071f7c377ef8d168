"""The mails of a campaign: the templates' words around the campaign's own, prepared once for each language."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from html import escape

from jinja2 import Environment

from engagement import sending
from engagement.errors import EngagementError
from engagement.labels import Language
from engagement.mail import Letter
from engagement.measure import form as forms, unsubscribe
from engagement.measure.campaign import Campaign
from engagement.sending import Message
from engagement.settings import INCLUDE
from engagement.templates import environment

INVITE = "invite"
CANARY = "canary"
_NOBODY = "0" * 32  # the token of no mail
REMINDER = "reminder-"  # and its number, from 1
_FOLDER = INCLUDE / "templates" / "survey"
# What Markdown would take for a sign of its own: anywhere but in a link, or only where a line begins.
_LINK_OR_SIGN = re.compile(r"(https?://\S+)|([\\`*_{}\[\]<>|~&])")
_BEGINS_SIGN = re.compile(r"^(\s*\d*)([-+=#.)])")
# What is put into a prepared mail for each person; letters of no alphabet, so that no text holds them.
_LINK, _UNSUBSCRIBE = "\ue000link\ue000", "\ue000unsubscribe\ue000"


@dataclass(frozen=True)
class Rendered:
    """One mail as a person reads it."""

    subject: str
    text: str
    html: str


def definition_hash(campaign: Campaign) -> str:
    """Return a digest of all that decides what a campaign sends: its file, its form, the templates."""
    templates = [path.read_text("utf-8") for path in sorted(_FOLDER.glob("*.j2"))]
    told = [campaign.definition_hash, forms.load(campaign.form).form_hash, templates]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class Letters:
    """The mails of one campaign, each prepared when it is first wanted."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._prepared: dict[tuple[str, Language, bool], Letter] = {}

    def specimen(self, step: str, language: Language) -> Rendered:
        """Return a mail as a person would read it, with an example for what is personal."""
        drafted = self._draft(step, language)
        values = {_LINK: self._campaign.personal_link("EXAMPLE"), _UNSUBSCRIBE: "mailto:example"}
        text, html = drafted.text, drafted.html
        for mark, value in values.items():
            text, html = text.replace(mark, value), html.replace(mark, escape(value))
        return Rendered(drafted.subject, text, html)

    def compose(self, message: Message) -> bytes:
        """Return the mail for one claimed message.

        Raises:
            EngagementError: ENGAGEMENT_RETURN_PATH is not set.
        """
        language: Language = message.language or self._campaign.languages.default
        # What only reached the catch-all address must say and do nothing in its recipient's name.
        token = _NOBODY if message.is_caught else message.token
        answers = None if message.is_caught else message.survey_token
        mailto = f"mailto:{unsubscribe_address(token)}?subject=unsubscribe"
        click = unsubscribe.link(token)
        return self._letter(message.step, language, message.is_caught).addressed(
            message.address,
            message.token,
            {
                _LINK: self._campaign.personal_link(answers or CANARY),
                _UNSUBSCRIBE: click or mailto,
            },
            _unsubscribe_headers(mailto, click) | message.headers,
        )

    def _letter(self, step: str, language: Language, is_caught: bool) -> Letter:
        key = (step, language, is_caught)
        if key not in self._prepared:
            drafted = self._draft(step, language)
            self._prepared[key] = Letter(
                sender=f"{self._campaign.sender.name.name(language)} <{self._campaign.sender.address}>",
                subject=f"[catch-all] {drafted.subject}" if is_caught else drafted.subject,
                text=drafted.text,
                html=drafted.html,
                language=language,
            )
        return self._prepared[key]

    def _draft(self, step: str, language: Language) -> Rendered:
        campaign = self._campaign
        reminder = campaign.reminder if step.startswith(REMINDER) else None
        letter = reminder or campaign.invitation
        subject = letter.subject.name(language)
        values = {
            "language": language,
            "subject": subject,
            "title": campaign.title.name(language),
            "paragraphs": [
                p.strip() for p in letter.text.name(language).split("\n\n") if p.strip()
            ],
            "sender": campaign.sender.name.name(language),
            "contact": campaign.sender.contact.name(language),
            "reply_to": campaign.sender.address,
            "lawful_basis": campaign.lawful_basis.name(language),
            "end": campaign.dates.end,
            "link": _LINK,
            "unsubscribe": _UNSUBSCRIBE,
        }
        text, html = (
            templates(language).get_template(f"{language}.{kind}.j2") for kind in ("txt", "html")
        )
        return Rendered(subject, text.render(values), html.render(values))


def _unsubscribe_headers(mailto: str, click: str | None) -> dict[str, str]:
    """Return how a mail program says no for its reader: RFC 2369, section 3.2, and RFC 8058, section 3.1."""
    if click is None:
        return {"List-Unsubscribe": f"<{mailto}>"}
    return {
        "List-Unsubscribe": f"<{click}>, <{mailto}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def unsubscribe_address(token: str) -> str:
    """Return the address at which a mail's recipient says no: the return path, with a word of its own.

    Raises:
        EngagementError: ENGAGEMENT_RETURN_PATH is not set.
    """
    path = sending.return_path("", f"unsubscribe-{token}")
    if not path:
        raise EngagementError(
            "ENGAGEMENT_RETURN_PATH is not set; a survey needs a mailbox of its own for bounces and for who "
            "wants no more mail, such as bounces@library.example.com."
        )
    return path


def templates(language: Language = "th") -> Environment:
    """Return the templates of all that a survey shows to people."""
    made = environment("survey", language)
    made.filters["quoted"] = _quoted
    return made


def _quoted(text: str) -> str:
    """Return a mail's text as a quotation in Markdown that keeps its lines; Airflow runs those of code together."""
    lines = [_plain(line).rstrip() for line in text.strip().splitlines()]
    return "\n".join(
        f"> {line}  " if line and following else f"> {line}".rstrip()
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
    )


def _plain(line: str) -> str:
    """Return a line in Markdown that reads as it stands."""
    signs = _LINK_OR_SIGN.sub(lambda found: found[1] or f"\\{found[2]}", line)
    return _BEGINS_SIGN.sub(r"\1\\\2", signs)
