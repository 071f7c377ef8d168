"""The mail uses only what mail programs show, or what it can do without; held against the data of caniemail.com."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from mail_features import facts_of, used
from reports import LETTERHEAD, full

from engagement.monitor import report

FEATURES = json.loads(
    (Path(__file__).parents[1] / "data" / "caniemail.json").read_text(encoding="utf-8")
)["features"]
GMAIL, WORD, WEB = "gmail", "outlook windows", "outlook outlook-com"
APPLE, SAMSUNG, YAHOO, THUNDERBIRD = "apple-mail", "samsung-email", "yahoo", "thunderbird"

DARK = "only for the dark mode; where it is missing the mail is light, or darkened by the program itself"
BREAKING = "only so that a very long word without a space does not widen the mail"
KEEPING = "only so that a number stays on one line with what it counts"
# What a program does not show or shows in its own way, and why the mail can do without.
ALLOWED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "css-at-media": ((GMAIL, WORD, WEB, SAMSUNG, YAHOO, THUNDERBIRD), DARK),
    "css-at-media-prefers-color-scheme": ((GMAIL, WORD, YAHOO, THUNDERBIRD), DARK),
    "css-border": ((WORD,), "no border is wider than its 8 px"),
    "css-color-scheme": ((GMAIL, WORD, WEB, YAHOO), DARK),
    "css-display": ((GMAIL, WORD, YAHOO), "only none and block are used"),
    "css-display-none": (
        (GMAIL, WORD),
        "the preheader: mso-hide hides it in Word, its size in Gmail",
    ),
    "css-font-size": ((WORD, SAMSUNG, YAHOO), "all sizes are in px"),
    "css-font-weight": ((WORD, YAHOO), "only 400, 600 and 700 are used"),
    "css-height": ((WORD, YAHOO), "only on cells of bars and as auto of the picture"),
    "css-important": ((GMAIL, WORD, YAHOO), DARK),
    "css-line-height": ((WORD,), "only how far the lines are apart"),
    "css-margin": (
        (GMAIL, WORD, WEB, YAHOO),
        "never negative; the table is centred by an attribute",
    ),
    "css-max-height": ((WORD,), "the preheader, which mso-hide hides in Word"),
    "css-max-width": ((WORD,), "Word has a table of 640 px of its own around the mail"),
    "css-overflow": (
        (GMAIL, WORD, WEB, APPLE, SAMSUNG, YAHOO),
        "only hidden, of the preheader",
    ),
    "css-overflow-wrap": ((GMAIL, WORD, WEB, APPLE, YAHOO), BREAKING),
    "css-padding": (
        (WORD,),
        "only on cells of tables; a row's cells have the same above and below",
    ),
    "css-selector-class": ((GMAIL,), DARK),
    "css-selector-grouping": ((GMAIL,), DARK),
    "css-selector-type": ((GMAIL,), DARK),
    "css-text-align": ((GMAIL, WORD, SAMSUNG, YAHOO), "only left and right are used"),
    "css-white-space": ((GMAIL, WORD, SAMSUNG, YAHOO), KEEPING),
    "css-width": ((WORD,), "only on tables and cells; the picture has its width as an attribute"),
    "css-word-break": ((GMAIL, WEB, APPLE, SAMSUNG, YAHOO), BREAKING),
    "html-aria-hidden": ((YAHOO, THUNDERBIRD), "a bar that is read out says nothing: it is empty"),
    "html-body": ((GMAIL, WEB, YAHOO), "its ground is on the outer table as well"),
    "html-doctype": ((WORD, SAMSUNG, YAHOO, THUNDERBIRD), "tables are laid out alike without it"),
    "html-lang": ((YAHOO,), "only how a passage in the other language is read out"),
    "html-mailto-links": ((YAHOO,), "the address is written out too"),
    "html-meta-color-scheme": ((GMAIL, WORD, WEB, APPLE, SAMSUNG, YAHOO), DARK),
    "html-role": ((YAHOO,), "only how tables are read out"),
    "html-style": ((GMAIL, WORD), DARK),
    "html-width": ((WORD,), "widths are no other in 120 dpi than in px"),
}


@pytest.fixture(scope="module")
def features() -> set[str]:
    """The features that the mail of a full month uses, in either language."""
    mails = (report.render(full(), LETTERHEAD, language) for language in ("th", "en"))
    return {feature for mail in mails for feature in used(mail.html, FEATURES)}


def shortfalls(features):
    """Return who does not support what wholly."""
    return {
        (feature, program)
        for feature in features
        for program, support in FEATURES[feature]["support"].items()
        if support in ("n", "a")
    }


def test_every_shortfall_of_a_mail_program_is_one_that_the_mail_can_do_without(features):
    unforeseen = {
        (feature, program)
        for feature, program in shortfalls(features)
        if not program.startswith(ALLOWED.get(feature, ((), ""))[0])
    }
    assert unforeseen == set()


def test_no_shortfall_is_allowed_that_does_not_occur(features):
    found = shortfalls(features)
    idle = {
        (feature, reader)
        for feature, (readers, _) in ALLOWED.items()
        for reader in readers
        if not any(f == feature and program.startswith(reader) for f, program in found)
    }
    assert idle == set()


def test_the_seven_programs_are_all_asked(features):
    for reader in (GMAIL, WORD, WEB, APPLE, SAMSUNG, YAHOO, THUNDERBIRD):
        asked = [s for s in FEATURES.values() if any(p.startswith(reader) for p in s["support"])]
        assert len(asked) > 280, reader
    assert len(features) > 40


@pytest.mark.parametrize(
    ("planted", "feature"),
    [
        ('<p style="display: flex">', "css-display-flex"),
        ('<td style="background-image:url(a.png)">', "css-background-image"),
        ('<td style="background: #fff">', "css-background"),
        ('<div style="position:absolute">', "css-position"),
        ("<svg></svg>", "html-svg"),
        ("<form>", "html-form"),
        ('<input type="radio">', "html-input-radio"),
        ('<img src="cid:a" srcset="b">', "html-srcset"),
        ('<img src="chart.webp?v=1">', "image-webp"),
        ('<img src="data:image/png;base64,AA">', "image-base64"),
        ('<p style="margin-top:1rem">', "css-unit-rem"),
        ('<p style="margin-top:1rem">', "css-margin"),
        ('<p style="border-top-left-radius:4px">', "css-border-radius"),
        ('<p style="width:calc(100% - 1px)">', "css-unit-calc"),
        ('<p style="color:var(--ink)">', "css-variables"),
        ('<p style="--ink: red">', "css-variables"),
        ('<p style="grid-template-columns: 1fr">', "css-grid-template"),
        ('<p style="left:0">', "css-left-right-top-bottom"),
        ('<a href="#top">', "html-anchor-links"),
        ("<h4>", "html-h1-h6"),
        ("<ul>", "html-lists"),
        ("<section>", "html-semantics"),
        ("<style>@font-face { font-family: X }</style>", "css-at-font-face"),
        ("<style>@media (hover: hover) { p { color: red } }</style>", "css-at-media-hover"),
        ("<style>a:hover { color: red }</style>", "css-pseudo-class-hover"),
        ("<style>p::before { color: red }</style>", "css-pseudo-element-before"),
        ("<style>p > a { color: red }</style>", "css-selector-child"),
        ("<style>p.b { color: red }</style>", "css-selector-chaining"),
        ("<style>/* why */ p { color: red }</style>", "css-comments"),
        ('<p style="background:linear-gradient(red, blue)">', "css-linear-gradient"),
    ],
)
def test_a_feature_that_is_planted_is_found(planted, feature):
    plain = "<html><body><table><tr><td>x</td></tr></table></body></html>"
    assert feature not in used(plain, FEATURES)
    assert feature in used(plain.replace("x</td>", f"{planted}</td>"), FEATURES)


def test_a_property_with_a_feature_of_its_own_is_not_taken_for_its_family():
    assert used('<p style="background-color:#fff">', FEATURES) & {
        "css-background",
        "css-background-color",
    } == {"css-background-color"}
    assert "css-font" not in used("<p style=\"font-family:'A b'\">", FEATURES)


def test_every_feature_is_known_by_a_fact_and_no_two_by_the_same_one():
    facts = [fact for slug in FEATURES for fact in facts_of(slug)]
    shared = {fact for fact in facts if facts.count(fact) > 1}
    assert shared == {"property:inline-size"}  # the data has it alone and together with block-size
