"""The edition for the board: the mail's figures and sentences on paper, in the same order."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, cast

from engagement.labels import Language
from engagement.monitor.content import Content
from engagement.monitor.report import Letterhead, phrases
from engagement.settings import INCLUDE
from engagement.templates import environment

if TYPE_CHECKING:
    from typst import Fonts


def render(content: Content, letterhead: Letterhead, language: Language) -> bytes:
    """Return the report as PDF on A4, tagged and held to PDF/UA-1 (ISO 14289-1).

    Where a librarian typed what the font has no letter for, such as a Chinese one, a box stands in its place, and the
    document does not call itself PDF/UA. The same content has the same bytes.
    """
    import typst

    compiled = partial(
        typst.compile,
        markup(content, letterhead, language),
        format="pdf",
        font_paths=_fonts(),
        timestamp=int(content.cut_at.timestamp()),
    )
    try:
        return cast(bytes, compiled(pdf_standards="ua-1"))
    except typst.TypstError:
        return cast(bytes, compiled())


def markup(content: Content, letterhead: Letterhead, language: Language) -> bytes:
    """Return the report as Typst markup, of which the PDF is made."""
    template = environment("report", language).get_template("report.typ.j2")
    return template.render(phrases(content, letterhead, language)).encode()


@cache
def _fonts() -> Fonts:
    """Return the shipped font, and none of the machine's."""
    from typst import Fonts

    return Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[INCLUDE / "fonts"],
    )
