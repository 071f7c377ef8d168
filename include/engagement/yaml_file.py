"""Reads the YAML files that people write, and says what is wrong with one without quoting it."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from engagement.errors import EngagementError

_WHOLE, _NUMBER = "write a whole number there, as in 30", "write a number there, as in 0.5"
_SWITCH = "write true or false there"
# What pydantic says in the words of Python, by its kind of error; with the limits that it names.
_PLAINLY = {
    "string_type": "write text there, in quotes where it is a number, yes or no",
    "frozen_set_type": "write a list there, as in [a, b]",
    "tuple_type": "write a list there, as in [a, b]",
    "dict_type": "write keys there, each with a colon and its value",
    "model_type": "write keys there, each with a colon and its value",
    "dataclass_type": "write it in both languages, as in {{th: ห้องสมุด, en: Library}}",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "greater_than": "write a number above {gt:g}",
    "greater_than_equal": "write {ge:g} or more",
    "less_than": "write a number below {lt:g}",
    "less_than_equal": "write {le:g} or less",
    "too_short": "name at least {min_length}",
    "too_long": "name at most {max_length}",
    "string_too_short": "write something there",
    "string_pattern_mismatch": "that cannot stand there; docs show an example",
    "literal_error": "write {expected} there",
    "extra_forbidden": "there is no such key",
    "unexpected_keyword_argument": "there is no such key",
    "missing": "the key is missing",
}


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, which YAML takes without a word, and leaves 14:30 as it stands."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a word; put {{ and }} in quotes",
                    problem_mark=key_node.start_mark,
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key} stands there twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_whole(self, node: yaml.ScalarNode) -> int | str:
        """Return a whole number; what has colons is text, which YAML 1.1 counts in sixties."""
        return str(node.value) if ":" in node.value else self.construct_yaml_int(node)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_whole)


def read(path: Path) -> Any:
    """Return what the file holds.

    Raises:
        FileNotFoundError: there is none.
        EngagementError: it cannot be read, or is no YAML; names the line, because the file may hold addresses.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise
    except OSError as error:
        raise EngagementError(
            f"{path.name} cannot be read ({error.strerror}); let it be a file that may be read."
        ) from None
    except UnicodeDecodeError:
        raise EngagementError(
            f"{path.name} is no valid YAML: save it in the encoding UTF-8."
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise EngagementError(
            f"{path.name} is no valid YAML at line {line}: {error.problem}."
        ) from None
    except (ValueError, TypeError, RecursionError):
        raise EngagementError(
            f"{path.name} is no valid YAML: it holds a date or a number that there is not; put "
            "what is no date and no number in quotes."
        ) from None
    except yaml.YAMLError:
        raise EngagementError(
            f"{path.name} is no valid YAML: it holds a character that cannot be seen; type it anew."
        ) from None


Described = TypeVar("Described", bound=BaseModel)


def validated(
    path: Path, read: object, model: type[Described], *, named: str | None = None
) -> Described:
    """Return what a YAML file says as a `model`.

    Args:
        path: the file.
        read: what it holds.
        model: what it describes.
        named: the key that must repeat the file's name, for files that are known by it.

    Raises:
        EngagementError: it does not say what it must; the sentence names the first mistake, in the words
            of who writes YAML.
    """
    try:
        described = model.model_validate(read)
    except ValidationError as error:
        first = error.errors()[0]
        keys = _spelt(read, first["loc"])
        where = f"{'.'.join(keys)}: " if keys else ""
        plain = _PLAINLY.get(first["type"])
        said = (
            plain.format(**first.get("ctx", {}))
            if plain
            else first["msg"].removeprefix("Value error, ")
        )
        raise EngagementError(f"{path.name}: {where}{said}.") from None
    if named is not None and getattr(described, named) != path.stem:
        raise EngagementError(
            f"{path.name}: {named}: the file is called {path.name}: write {named}: {path.stem}."
        )
    return described


def _spelt(read: Any, place: tuple[int | str, ...]) -> list[str]:
    """Return the way to a value as people count it: the first of a list is number 1."""
    keys = []
    for key in place:
        if key == "[key]":
            continue
        keys.append(f"number {int(key) + 1}" if isinstance(read, list) else str(key))
        try:
            read = read[key]
        except (KeyError, IndexError, TypeError):
            read = None
    return keys
