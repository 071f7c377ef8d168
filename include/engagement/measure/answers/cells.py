"""What a cell means: the options that it names, and the words that are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from engagement.measure.form import OTHER, UNKNOWN, Form, Question, folded
from engagement.text import clean

_KNOWN_CELLS = 4096  # per question: most cells say what others said before
_LIMESURVEY_OTHER = "-oth-"  # stands in for the words, which have a column of their own


@dataclass(frozen=True)
class Answer:
    """What somebody says to a question.

    Attributes:
        options: codes of what was ticked.
        words: of one's own.
        key: what the cell says, however it is spaced and joined: it tells answers apart.
    """

    options: tuple[str, ...] = ()
    words: str | None = None
    key: str = ""


class Meaning:
    """Tells what the cells below a question's heading mean.

    Where several options may be ticked they stand in one cell with separators between them, which may
    occur in an option too: from the left the longest option that fits is taken. What is left are words:
    of the option `other` where the question has it, else of an answer that is `unknown`.
    """

    def __init__(self, form: Form, question: Question) -> None:
        """Learn the question's options."""
        self._form = form
        self._codes: dict[str, str] = {}
        self._most_parts = 1
        for code, option in form.answers(question).items():
            for spelling in option.spellings:
                self._codes[form.key(spelling)] = code
                self._most_parts = max(self._most_parts, len(form.parts(spelling)))
        self.rest = UNKNOWN
        if question.other is not None:
            self.rest = OTHER
            self._codes[_LIMESURVEY_OTHER] = OTHER
        read = self._several if question.kind == "choices" else self._one
        self.answer = self._text if question.kind == "text" else lru_cache(_KNOWN_CELLS)(read)

    def option(self, text: str) -> str | None:
        """Return the code of the one option that `text` is, or None."""
        return self._codes.get(self._form.key(text))

    def _text(self, cell: str) -> Answer:
        """Return text as text, whatever it looks like; line ends stay."""
        lines = [line for line in map(clean, cell.splitlines()) if line]
        return Answer((), "\n".join(lines) or None, self._form.key(cell))

    def _one(self, cell: str) -> Answer:
        key = self._form.key(cell)
        if not key:
            return Answer()
        code = self._codes.get(key)
        return Answer((code,), None, key) if code else Answer((self.rest,), clean(cell), key)

    def _several(self, cell: str) -> Answer:
        parts = self._form.parts(cell)
        keys = list(map(folded, parts))
        codes: dict[str, None] = {}
        words: list[str] = []
        at = 0
        while at < len(parts):
            code, end = self._longest(keys, at)
            if code:
                codes[code] = None
            elif keys[at]:
                words.append(clean(parts[at]))
            at = end
        if words:
            codes[self.rest] = None
        return Answer(tuple(codes), ", ".join(words) or None, "".join(keys))

    def _longest(self, keys: Sequence[str], start: int) -> tuple[str | None, int]:
        """Return the longest option that begins at `start`, and where it ends."""
        for end in range(min(len(keys), start + self._most_parts), start, -1):
            if keys[start] and (code := self._codes.get("".join(keys[start:end]))):
                return code, end
        return None, start + 1
