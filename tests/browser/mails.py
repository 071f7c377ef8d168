"""Copies of the mail for the browser, which bring their font and their picture."""

import base64
from dataclasses import replace
from functools import cache

from reports import LETTERHEAD, full

from engagement.labels import Language
from engagement.monitor import chart, report
from engagement.monitor.content import Content
from engagement.monitor.trend import Point
from engagement.period import Period
from engagement.settings import INCLUDE

FONTS = INCLUDE / "fonts"
COUNTS = (
    11_020,
    11_300,
    11_250,
    11_612,
    12_900,
    12_740,
    None,
    12_390,
    12_205,
    11_950,
    12_083,
    12_783,
)


def with_font(html: str) -> str:
    """Return a copy of a page that brings the shipped font, so that fonts do not differ by machine."""
    faces = "".join(
        f"@font-face {{ font-family: Sarabun; font-weight: {weight}; "
        f"src: url(data:font/ttf;base64,{base64.b64encode(font.read_bytes()).decode()}) }}"
        for weight, font in ((int(f.stem.partition("_")[2][:3]), f) for f in FONTS.glob("*.ttf"))
    )
    return html.replace("<style>", f"<style>{faces}", 1)


def trend() -> tuple[Point, ...]:
    """Return a year with all that a trend can have: a missing month, a changed definition."""
    months = [Period(2018, 7)]
    while len(months) < len(COUNTS):
        months.insert(0, months[0].previous)
    return tuple(
        Point(month, count, month == Period(2017, 11))
        for month, count in zip(months, COUNTS, strict=True)
    )


@cache
def content() -> Content:
    """Return what the mail of a full month says."""
    return replace(full(), trend=trend())


@cache
def mail(language: Language) -> str:
    """Return the HTML of the mail of a full month."""
    picture = base64.b64encode(chart.draw(trend(), language)).decode()
    html = report.render(content(), LETTERHEAD, language).html
    return with_font(html).replace(f"cid:{report.PICTURE}", f"data:image/png;base64,{picture}")
