"""The picture of the trend: real customers per period, to be read on a phone, in grey, and without images."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING, Any

from engagement import wording
from engagement.labels import Language
from engagement.monitor.trend import Point
from engagement.settings import INCLUDE
from engagement.templates import environment
from engagement.wording import Wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 592, 340  # px in the mail; a phone shows it at little more than half of that
_SHARPNESS = 2  # pixels that are drawn for each px
_COLOURS = 32
_INK, _SOFT, _RULE, _GROUND, _LINE = "#1f2933", "#52606d", "#d5dae0", "#eceff2", "#8f2d1f"


def statement(points: Sequence[Point], language: Language, same_below_pct: float = 0.0) -> str:
    """Return what the chart shows in one sentence, with every figure that is written into it.

    Args:
        points: the periods in their order; the first and the last are published.
        language: of the sentence.
        same_below_pct: a change by less than so many per cent is none to speak of.
    """
    comparable = _comparable(points)
    template = environment("report", language).get_template("trend.txt.j2")
    said = template.render(
        first=comparable[0],
        highest=_highest(comparable),
        last=comparable[-1],
        same_below_pct=same_below_pct,
    )
    return wording.whole_in_text(said.replace("\n", ""))


def draw(points: Sequence[Point], language: Language) -> bytes:
    """Return the chart as PNG on white, WIDTH x HEIGHT px in twice the resolution.

    The axis begins at 0. A month without figures is a gap; no line crosses a changed definition.

    Args:
        points: the periods in their order; the first and the last are published.
        language: of the months and notes.
    """
    from matplotlib.figure import Figure

    # An inch has 72 points: what matplotlib takes as points are px of the mail.
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72 * _SHARPNESS, facecolor="white")
    axes = figure.add_axes((0.15, 0.18, 0.79, 0.81))
    _draw_frame(axes, points, language)
    _draw_gaps(axes, points, language)
    _draw_changes(axes, points, language)
    for stretch in _stretches(points):
        _draw_line(axes, points, stretch)
    _draw_counts(axes, points)
    return _png(figure)


def _stretches(points: Sequence[Point]) -> list[list[Point]]:
    """Return the points, apart where the definition changed."""
    found: list[list[Point]] = [[]]
    for point in points:
        if point.is_redefined:
            found.append([])
        found[-1].append(point)
    return found


def _comparable(points: Sequence[Point]) -> list[Point]:
    """Return the published points that share the definition of the last one."""
    return [point for point in _stretches(points)[-1] if point.real_customers is not None]


def _highest(comparable: Sequence[Point]) -> Point:
    """Return the point with the most real customers, the last or the first where it has as many as any."""
    return max((comparable[-1], *comparable), key=lambda point: point.real_customers or 0)


def _font(size: int, *, bold: bool = False) -> Any:
    """Return the font in `size` px, from the file: nothing of the machine's is looked for."""
    from matplotlib.font_manager import FontProperties

    name = "Sarabun_700Bold.ttf" if bold else "Sarabun_400Regular.ttf"
    return FontProperties(fname=INCLUDE / "fonts" / name, size=size)


def _draw_frame(axes: Axes, points: Sequence[Point], language: Language) -> None:
    """Draw the months and the levels, and leave room above the line for counts and a note."""
    from matplotlib.ticker import MaxNLocator

    top = max(point.real_customers or 0 for point in points)
    levels = [level for level in MaxNLocator(3, integer=True).tick_values(0, top) if level <= top]
    axes.set_xlim(-0.6, len(points) - 0.4)
    axes.set_ylim(0, (top or 1) * (1.4 if any(point.is_redefined for point in points) else 1.2))
    axes.set_xticks(range(len(points)), _months(points, language), fontproperties=_font(18))
    axes.set_yticks(
        levels,
        [wording.count(round(level)) for level in levels],
        fontproperties=_font(17),
        va="center_baseline",
    )
    axes.tick_params(length=0, labelcolor=_SOFT, pad=6)
    axes.grid(axis="y", color=_RULE)
    axes.set_axisbelow(True)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set(color=_SOFT, linewidth=1.5)


def _months(points: Sequence[Point], language: Language) -> list[str]:
    """Return a short name for each month, with the year below the first one and below every January."""
    words = Wording(language)
    return [
        f"{words.short_month(point.period)}\n"
        f"{words.year(point.period.year) if not at or point.period.month == 1 else ''}"
        for at, point in enumerate(points)
    ]


def _draw_gaps(axes: Axes, points: Sequence[Point], language: Language) -> None:
    """Mark the months without figures."""
    words = Wording(language).translations().gettext("no data")
    for at, point in enumerate(points):
        if point.real_customers is None:
            axes.axvspan(at - 0.5, at + 0.5, ymax=0.8, color=_GROUND, linewidth=0)
            axes.annotate(
                words,
                (at, 0),
                **_offset(0, 8),
                rotation=90,
                ha="center",
                va="bottom",
                color=_INK,
                fontproperties=_font(17),
            )


def _draw_changes(axes: Axes, points: Sequence[Point], language: Language) -> None:
    """Mark where the definition changed; the last change is named."""
    changes = [at - 0.5 for at, point in enumerate(points) if point.is_redefined]
    for at in changes:
        axes.axvline(at, color=_INK, linewidth=1.5, linestyle=(0, (4, 3)))
    for at in changes[-1:]:
        is_right = at > len(points) / 2
        axes.annotate(
            Wording(language).translations().gettext("definition changed"),
            (at, axes.get_ylim()[1]),
            **_offset(-6 if is_right else 6, 0),
            ha="right" if is_right else "left",
            va="top",
            color=_INK,
            fontproperties=_font(17),
            path_effects=_halo(),
        )


def _halo() -> list[Any]:
    """Return what keeps a text readable that stands on a line."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=5, foreground="white")]


def _offset(right: int, up: int) -> dict[str, Any]:
    """Return how a text stands beside its point, in px."""
    return {"xytext": (right, up), "textcoords": "offset points"}


def _draw_line(axes: Axes, points: Sequence[Point], stretch: Sequence[Point]) -> None:
    """Draw the points of one definition; a month without figures interrupts the line."""
    axes.plot(
        [points.index(point) for point in stretch],
        [nan if point.real_customers is None else point.real_customers for point in stretch],
        color=_LINE,
        linewidth=3,
        marker="o",
        markersize=8,
        clip_on=False,
        zorder=3,  # over the axis
    )


def _draw_counts(axes: Axes, points: Sequence[Point]) -> None:
    """Write the count at the first, the highest and the last point that may be compared."""
    comparable = _comparable(points)
    highest = _highest(comparable)
    for point in {comparable[0], highest, comparable[-1]}:
        is_below = _is_crowded(points, point, highest)
        is_beside = point.is_redefined  # the line of the change, and not across it
        axes.annotate(
            wording.count(point.real_customers or 0),
            (points.index(point), point.real_customers or 0),
            **_offset(-17 if is_beside else 0, -12 if is_below else 9),
            ha="left" if is_beside else "center",
            va="top" if is_below else "bottom",
            color=_INK,
            fontproperties=_font(21, bold=True),
            path_effects=_halo(),
        )


def _is_crowded(points: Sequence[Point], point: Point, highest: Point) -> bool:
    """Return whether the point's count would run into that of the highest one beside it."""
    apart = abs(points.index(point) - points.index(highest))
    below = (highest.real_customers or 0) - (point.real_customers or 0)
    return 0 < apart < 0.2 * len(points) and below < 0.15 * (highest.real_customers or 0)


def _png(figure: Figure) -> bytes:
    """Return the picture in few colours; the same picture has the same bytes."""
    from PIL import Image

    drawn, file = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(_COLOURS).save(file, "PNG", optimize=True)
    return file.getvalue()
