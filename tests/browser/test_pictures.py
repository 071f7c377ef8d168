"""The mail, the chart, the paper and Thai words look as they were looked at and found right; how they are renewed: README.md."""

import io
import os
import re
from pathlib import Path

import pytest
import typst
from browser.likeness import TOLERATED, difference
from browser.mails import FONTS, content, mail, trend, with_font
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image, ImageChops
from reports import LETTERHEAD

from engagement.monitor import chart, pdf

pytest_plugins = ("browser.chromium",)

PICTURES = Path(__file__).parent / "pictures"
WORDS = "สำนักหอสมุด น้ำ ที่ ปู่ ญู"
REGULAR, BOLD = "Sarabun_400Regular.ttf", "Sarabun_700Bold.ttf"
BROKEN = {
    "tone marks are missing": lambda words: re.sub("[่้๊๋]", "", words),
    "one tone mark is missing": lambda words: words.replace("ที่", "ที"),
    "sara am is torn apart": lambda words: words.replace("ำ", " า"),
}


def kept(name):
    return Image.open(PICTURES / f"{name}.png").convert("RGB")


def printed(markup):
    """Return the first page that Typst makes."""
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[FONTS],
    )
    made = typst.compile(markup, format="png", ppi=96, font_paths=fonts)
    return Image.open(io.BytesIO(made[0] if isinstance(made, list) else made)).convert("RGB")


@pytest.fixture
def looks_right(tmp_path):
    """Compare a picture with the kept one; what was seen is left in the test's folder."""

    def compare(name: str, seen: Image.Image) -> None:
        if os.environ.get("RENEW_PICTURES"):
            seen.quantize(32).save(PICTURES / f"{name}.png", optimize=True)
        seen.save(tmp_path / f"{name}.png")
        assert difference(kept(name), seen) < TOLERATED, f"look at {tmp_path / name}.png"

    return compare


@pytest.mark.parametrize(
    ("language", "width", "height", "is_dark"),
    [
        ("th", 390, 1500, False),
        ("th", 390, 1500, True),
        ("th", 800, 1300, False),
        ("en", 390, 1500, False),
        ("en", 800, 1300, True),
    ],
)
def test_the_mail_looks_as_it_should(looks_right, chromium, language, width, height, is_dark):
    name = f"{language}-{width}-{'dark' if is_dark else 'light'}"
    looks_right(name, chromium.picture(mail(language), width, height, is_dark=is_dark))


@pytest.mark.parametrize(("language", "width"), [("th", 390), ("en", 800)])
def test_the_mail_looks_as_it_should_to_its_end(looks_right, chromium, language, width):
    size = "document.documentElement.scrollHeight"
    height = chromium.measure(mail(language), width, 844, size)
    whole = chromium.picture(mail(language), width, height)
    looks_right(f"{language}-{width}-whole", whole.reduce(2))  # small, for it is long


def test_the_first_page_on_paper_looks_as_it_should(looks_right):
    looks_right("page-th", printed(pdf.markup(content(), LETTERHEAD, "th")))


def test_the_mail_looks_as_it_should_with_images_off(looks_right, chromium):
    place = "document.querySelector('img').closest('.card').getBoundingClientRect()"
    card = chromium.measure(mail("th"), 390, 844, place, has_images=False)
    top, bottom = int(card["top"]), int(card["bottom"])
    seen = chromium.picture(mail("th"), 390, bottom, has_images=False)
    looks_right("th-390-images-off", seen.crop((0, top, 390, bottom)))


@pytest.mark.parametrize("language", ["th", "en"])
def test_the_trend_is_drawn_as_it_should(looks_right, language):
    drawn = Image.open(io.BytesIO(chart.draw(trend(), language))).convert("RGB")
    looks_right(f"trend-{language}", drawn.reduce(2))


def in_chromium(request, words, font):
    weight = 700 if font == BOLD else 400
    style = f"margin:12px;font:{weight} 40px/1.8 Sarabun;white-space:nowrap"
    page = f'<!DOCTYPE html><style></style><body style="{style}">{words}</body>'
    return request.getfixturevalue("chromium").picture(with_font(page), 560, 100)


def in_the_chart(_, words, font):
    figure = Figure(figsize=(5.6, 1), dpi=100)
    properties = FontProperties(fname=FONTS / font, size=29)
    figure.text(0.02, 0.35, words, fontproperties=properties)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return Image.open(file).convert("RGB")


def in_the_pdf(_, words, font):
    weight = "bold" if font == BOLD else "regular"
    source = (
        "#set page(width: 420pt, height: 75pt, margin: (x: 9pt, y: 27pt))\n"
        f'#set text(font: "Sarabun", size: 30pt, lang: "th", weight: "{weight}")\n#"{words}"'
    )
    return printed(source.encode())


ENGINES = pytest.mark.parametrize(
    "engine", [in_chromium, in_the_chart, in_the_pdf], ids=lambda e: e.__name__
)


@ENGINES
def test_thai_words_are_written_right(looks_right, request, engine):
    looks_right(f"words-{engine.__name__}".replace("_", "-"), engine(request, WORDS, REGULAR))


@ENGINES
@pytest.mark.parametrize("breakage", BROKEN)
def test_broken_thai_is_seen(request, engine, breakage):
    right = kept(f"words-{engine.__name__}".replace("_", "-"))
    assert difference(right, engine(request, BROKEN[breakage](WORDS), REGULAR)) > TOLERATED


@ENGINES
def test_another_font_is_seen(request, engine):
    right = kept(f"words-{engine.__name__}".replace("_", "-"))
    assert difference(right, engine(request, WORDS, BOLD)) > TOLERATED


@pytest.mark.parametrize("breakage", ["tone marks are missing", "sara am is torn apart"])
def test_broken_thai_is_seen_in_the_mail(chromium, breakage):
    broken = chromium.picture(BROKEN[breakage](mail("th")), 390, 1500)
    assert difference(kept("th-390-light"), broken) > TOLERATED


def test_a_light_mail_is_not_taken_for_a_dark_one():
    assert difference(kept("th-390-light"), kept("th-390-dark")) > TOLERATED


def test_a_pixel_off_is_no_difference():
    for name in ("th-390-light", "words-in-chromium"):
        for right, down in ((1, 0), (0, 1), (-1, 1)):
            assert difference(kept(name), ImageChops.offset(kept(name), right, down)) < TOLERATED
