"""The picture of how the real customers developed."""

from collections.abc import Sequence

from engagement.labels import Language
from engagement.monitor.trend import Point


def statement(points: Sequence[Point], language: Language) -> str:
    """Return the finding of the picture in one sentence."""
    return ""
