"""How numbers, dates and sentences are written in Thai and in English; digits are Arabic in both."""

from __future__ import annotations

import datetime as dt
import io
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import TYPE_CHECKING

from engagement.labels import Language, labels
from engagement.period import Period
from engagement.settings import INCLUDE

if TYPE_CHECKING:
    from gettext import NullTranslations

# What stands in ⟦ ⟧ in a catalogue belongs on one line, a number and what it counts: Thai may be broken anywhere.
# In a rendered template two letters of no alphabet stand for them, so that nobody can have typed them.
_WHOLE = str.maketrans("⟦⟧", "\ue000\ue001")
# Pictures and what joins or changes them; arrows and signs such as ° and ≠ come before.
_EMOJI = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\ufe0e\ufe0f\u200d]")
_BUDDHIST_ERA = 543  # the Gregorian year plus this, since Thailand moved New Year to January (1941)
MINUS = "\N{MINUS SIGN}"


def count(number: int) -> str:
    """Return a count with thousands separators: 60,403."""
    return f"{number:,}".replace("-", MINUS)


def signed(change: int) -> str:
    """Return a change of a count with its sign: +412, −35, and 0 without one."""
    return f"+{change:,}" if change > 0 else count(change)


def decimal(percentage: float) -> str:
    """Return a percentage (0 to 100) without its sign, one decimal.

    What is not quite nothing or not quite everything never reads as 0.0 or 100.0: <0.1, >99.9.
    """
    if 0 < percentage < 0.05:
        return "<0.1"
    if 99.95 <= percentage < 100:
        return ">99.9"
    # As a reader with a calculator rounds: 16.15 is 16.2, though its binary value is a little less.
    return str(Decimal(str(percentage)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def signed_points(points: float) -> str:
    """Return a change of a percentage in percentage points: +0.7, −1.2, 0.0."""
    rounded = round(points, 1)
    if rounded == 0:
        return "0.0"
    return f"{rounded:+.1f}".replace("-", MINUS)


def whole_in_html(rendered: str) -> str:
    """Return rendered HTML in which no line is broken where the catalogue forbids it."""
    return rendered.replace("\ue000", '<span class="whole">').replace("\ue001", "</span>")


def whole_in_text(rendered: str) -> str:
    """Return rendered text without the marks of what belongs on one line."""
    return rendered.replace("\ue000", "").replace("\ue001", "")


def in_typst(text: str) -> str:
    """Return Typst markup that shows `text` as it is, whatever is typed in it, and keeps whole what is.

    Emoji are left out: the font has none, and a box in their place says nothing.
    """
    parts = re.split("\ue000(.*?)\ue001", _EMOJI.sub("", text), flags=re.DOTALL)
    quoted = [part.replace("\\", "\\\\").replace('"', '\\"') for part in parts]
    return "".join(
        f'#box("{part}");' if at % 2 else f'#"{part}";' for at, part in enumerate(quoted) if part
    )


@dataclass(frozen=True)
class Wording:
    """Dates and sentences in one language; Thai years are those of the Buddhist era."""

    language: Language

    def date(self, day: dt.date) -> str:
        """Return a date in words: 27 มิถุนายน 2561, 27 June 2018."""
        return f"{day.day} {self._month(day.month)} {self.year(day.year)}"

    def month(self, period: Period) -> str:
        """Return a period in words: มิถุนายน 2561, June 2018."""
        return f"{self._month(period.month)} {self.year(period.year)}"

    def short_month(self, period: Period) -> str:
        """Return a period's month without its year, as a chart has room for it: มิ.ย., Jun."""
        from babel.dates import get_month_names

        return str(get_month_names("abbreviated", locale=self.language)[period.month])

    def instant(self, at: dt.datetime) -> str:
        """Return day and time, as the clock that `at` is of shows them: 10 กรกฎาคม 2561 เวลา 08.00 น."""
        if self.language == "th":
            return f"{self.date(at)} เวลา {at:%H.%M} น."
        return f"{self.date(at)}, {at:%H:%M}"

    def year(self, year: int) -> int:
        """Return the year of the language's era."""
        return year + _BUDDHIST_ERA if self.language == "th" else year

    def translations(self) -> NullTranslations:
        """Return the sentences of templates: the keys are English, `include/locales/th.po` has them in Thai."""
        return _translations(self.language)

    def _month(self, number: int) -> str:
        return labels().months[number - 1].name(self.language)


TH, EN = Wording("th"), Wording("en")


@cache
def _translations(language: Language) -> NullTranslations:
    from gettext import GNUTranslations, NullTranslations

    if language == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (INCLUDE / "locales" / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    for message in catalogue:
        if message.pluralizable:
            forms = message.string or ()
            message.string = tuple(form.translate(_WHOLE) for form in forms)
        elif message.id:
            message.string = str(message.string).translate(_WHOLE)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
