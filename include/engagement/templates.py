"""The templates of pages and mails, with the words of a language."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from engagement import wording
from engagement.labels import Language
from engagement.settings import INCLUDE
from engagement.wording import Wording


@cache
def environment(folder: str, language: Language = "th", *, is_html: bool = False) -> Environment:
    """Return the templates of a folder in `include/templates`, which write in `language`.

    What has no value is an error. Sentences within `trans` are taken from the catalogue. In templates of HTML
    what is put in is escaped; with `is_html` also in those that they import, whatever their name.
    """
    words = Wording(language)
    made = Environment(
        loader=FileSystemLoader(INCLUDE / "templates" / folder),
        autoescape=is_html or select_autoescape(["html.j2"]),  # noqa: S701 - text is no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(words.translations(), newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {
        "count": wording.count,
        "signed": wording.signed,
        "decimal": wording.decimal,
        "points": wording.signed_points,
        "date": words.date,
        "month": words.month,
        "instant": words.instant,
        "typst": wording.in_typst,
    }
    made.globals["language"] = language
    return made
