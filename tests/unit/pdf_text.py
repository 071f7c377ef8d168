"""What a PDF program reads out of a page: the text that stands for glyphs, once."""

import re
from collections.abc import Iterator
from typing import Any

from pypdf import PageObject
from pypdf.generic import ContentStream

_NEXT = "\n"  # between what is tagged apart


def read(page: PageObject) -> str:
    """Return the page's text, each tagged piece on a line of its own.

    A consonant with its marks is several glyphs that stand for one text, their ActualText (ISO 32000-2, 14.9.4). A
    tone mark that is set higher than the font has it is drawn apart and says the whole text again: it is read once.
    """
    text, before, is_next, is_repeated = "", "", False, False
    for piece in _pieces(page):
        if piece == _NEXT:
            is_next = True
        elif is_next and len(piece) > 1 and piece == before:
            is_next, is_repeated = False, True
        else:
            text += _NEXT + piece if is_next and not is_repeated else piece
            before, is_next, is_repeated = piece, False, False
    return text


def _pieces(page: PageObject) -> Iterator[str]:
    fonts = {name: _unicode(font.get_object()) for name, font in _fonts(page).items()}
    font: dict[bytes, str] = {}
    spans: list[bool] = []
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator == b"Tf":
            font = fonts[operands[0]]
        elif operator in (b"BDC", b"BMC"):
            marks = operands[1] if isinstance(operands[-1], dict) else {}
            spans.append("/ActualText" in marks)
            if spans[-1]:
                yield str(marks["/ActualText"])
            elif "/MCID" in marks:
                yield _NEXT
        elif operator == b"EMC":
            spans.pop()
        elif operator in (b"Tj", b"TJ") and not any(spans):
            yield from (font.get(glyph, "\ufffd") for glyph in _glyphs(operands[0]))


def _fonts(page: PageObject) -> dict[str, Any]:
    return page["/Resources"].get("/Font", {})  # type: ignore[index, no-any-return]


def _unicode(font: Any) -> dict[bytes, str]:
    """Return the text of each glyph: the font's table from codes of two bytes to UTF-16."""
    table = font["/ToUnicode"].get_data().decode("ascii")
    found = {}
    for block in re.findall(r"beginbfchar(.*?)endbfchar", table, flags=re.DOTALL):
        for code, text in re.findall(r"<(\w+)> <(\w+)>", block):
            found[bytes.fromhex(code)] = bytes.fromhex(text).decode("utf-16-be")
    for block in re.findall(r"beginbfrange(.*?)endbfrange", table, flags=re.DOTALL):
        for first, last, text in re.findall(r"<(\w+)> <(\w+)> <(\w+)>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                code = (int(first, 16) + step).to_bytes(2, "big")
                found[code] = chr(int(text, 16) + step)
    return found


def _glyphs(operand: Any) -> Iterator[bytes]:
    for part in operand if isinstance(operand, list) else [operand]:
        if isinstance(part, bytes | str):
            codes = part.original_bytes if hasattr(part, "original_bytes") else bytes(part)
            yield from (codes[at : at + 2] for at in range(0, len(codes), 2))
