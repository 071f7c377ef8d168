"""What a reader of the mail gets to see in a real browser: on a small phone, in the dark, without pictures."""

import pytest
from browser.mails import content, mail, trend
from reports import LETTERHEAD, full, shares_drawn

from engagement import wording
from engagement.monitor import chart, report

pytest_plugins = ("browser.chromium",)

LANGUAGES = pytest.mark.parametrize("language", ["th", "en"])
PHONE = (390, 844)
BARS = 140  # px that a mail program's own bars and the subject take of a phone's screen
# Every text that is seen, with its contrast to the ground behind it (WCAG 2.2, 1.4.3).
CONTRASTS = """(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number)
  const light = (colour) => parts(colour).slice(0, 3).map((level) => {
    const share = level / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }).reduce((sum, level, at) => sum + level * [0.2126, 0.7152, 0.0722][at], 0)
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor
    return parts(colour)[3] === 0 ? ground(element.parentElement) : colour
  }
  const found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue
    const [first, second] = [light(getComputedStyle(element).color), light(ground(element))]
    const contrast = (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05)
    found.push([walker.currentNode.data.trim(), contrast])
  }
  return found
})()"""

# Every text that is seen and stands, in part at least, beside the page.
BESIDE = """(() => {
  const wide = document.documentElement.clientWidth, found = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const text = document.createRange()
    text.selectNodeContents(walker.currentNode)
    const places = [...text.getClientRects()]
    if (places.some(({left, right}) => left < 0 || right > wide)) found.push(text.toString())
  }
  return found
})()"""
# Of every bar the part of its track that is drawn, in %, as it is painted.
BARS_DRAWN = """[...document.querySelectorAll("table[aria-hidden]")].map((bar) => {
  const painted = [...bar.querySelectorAll(".main, .other")].map((part) => {
    const colour = getComputedStyle(part).backgroundColor
    if (colour === "rgba(0, 0, 0, 0)" || !part.clientHeight) return NaN
    return part.getBoundingClientRect().width
  })
  return 100 * painted.reduce((sum, width) => sum + width, 0) / bar.getBoundingClientRect().width
})"""


@LANGUAGES
def test_a_director_sees_which_decisions_are_wanted_on_the_first_screen_of_a_phone(
    chromium, language
):
    subject = report.render(full(), LETTERHEAD, language).subject
    assert {"th": "เรื่องที่ขอให้ตัดสินใจ 3 เรื่อง", "en": "Decisions wanted: 3"}[language] in subject
    seen = chromium.measure(
        mail(language),
        *PHONE,
        """[...document.querySelectorAll("h1, .notice h2, .notice b")].map((element) => {
          const place = element.getBoundingClientRect()
          return [element.innerText, place.bottom]
        })""",
    )
    (title, _), (heading, below_heading), (wanted, _) = seen[:3]
    assert {"th": "รายงานลูกค้าที่แท้จริง", "en": "Report on the real customers"}[language] in title
    assert "3" in heading
    assert below_heading < PHONE[1] - BARS
    assert full().decisions[0].item.wanted in wanted
    assert len(seen) == 5  # the title, the heading, three decisions
    assert all(below < PHONE[1] for _, below in seen)


@LANGUAGES
@pytest.mark.parametrize("width", [320, 390])
def test_nothing_runs_over_the_edge_of_a_phone(chromium, language, width):
    root = "document.documentElement"
    size = f"[{root}.scrollWidth, {root}.scrollHeight, {BESIDE}]"
    wide, high, beside = chromium.measure(mail(language), width, 844, size)
    assert wide == width
    assert beside == []
    assert high > 3000  # it is the whole mail that was measured


def test_a_word_without_an_end_runs_not_over_the_edge_either(chromium):
    endless = mail("th").replace(full().decisions[0].item.wanted, "W" * 160)
    assert endless != mail("th")
    assert chromium.measure(endless, 320, 844, "document.documentElement.scrollWidth") == 320


def test_what_runs_over_the_edge_is_noticed(chromium):
    broken = mail("th").replace(
        "</h1>", "</h1><p style='white-space:nowrap'>" + "กว้าง" * 40 + "</p>", 1
    )
    assert chromium.measure(broken, 390, 844, "document.documentElement.scrollWidth") > 390


@pytest.mark.parametrize("width", [390, 800])
def test_every_bar_is_as_long_as_what_it_stands_for(chromium, width):
    drawn = chromium.measure(mail("th"), width, 844, BARS_DRAWN)
    shares = shares_drawn(content())
    assert len(shares) > 25
    # A bar is drawn in whole %, at least one, and in whole px.
    assert drawn == [pytest.approx(max(share, 1) if share else 0, abs=1.3) for share in shares]


@LANGUAGES
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_text_keeps_its_contrast(chromium, language, is_dark):
    found = chromium.measure(mail(language), *PHONE, CONTRASTS, is_dark=is_dark)
    assert len(found) > 150
    assert [(text, round(ratio, 2)) for text, ratio in found if ratio < 4.5] == []


def test_text_that_is_hard_to_read_in_the_dark_is_noticed(chromium):
    broken = (
        mail("th")
        .replace(".soft { color: #b3bcc5", ".soft { color: #60666d")
        .replace(".soft{color:#b3bcc5", ".soft{color:#60666d")
    )
    assert broken != mail("th")
    light = chromium.measure(broken, *PHONE, CONTRASTS)
    dark = chromium.measure(broken, *PHONE, CONTRASTS, is_dark=True)
    assert not [text for text, ratio in light if ratio < 4.5]
    assert [text for text, ratio in dark if ratio < 4.5]


@LANGUAGES
def test_without_pictures_every_figure_of_the_trend_is_still_said(chromium, language):
    said, alternative, is_drawn = chromium.measure(
        mail(language),
        *PHONE,
        """[document.body.innerText, document.querySelector("img").alt,
            document.querySelector("img").naturalWidth > 0]""",
        has_images=False,
    )
    assert not is_drawn
    assert alternative == chart.statement(trend(), language)
    words = wording.Wording(language)
    for point in trend():
        count = "" if point.real_customers is None else wording.count(point.real_customers)
        line = next(
            line
            for line in said.splitlines()
            if line.strip("≠ ").startswith(words.month(point.period))
        )
        assert count in line
