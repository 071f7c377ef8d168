"""What an approver reads in Airflow, as Markdown, is the mail as its recipient reads it."""

import html
import re

import pytest
from markdown_it import MarkdownIt

from engagement.measure.letters import templates

quoted = templates().filters["quoted"]


def read(markdown: str) -> str:
    """Return what a reader sees of a quotation: its lines, its paragraphs an empty line apart."""
    page = MarkdownIt().render(markdown)
    assert page.startswith("<blockquote>")
    assert set(re.findall(r"<(\w+)", page)) <= {"blockquote", "p", "br"}
    paragraphs = re.findall(r"<p>(.*?)</p>", page, re.DOTALL)
    return "\n\n".join(html.unescape(one.replace("<br />\n", "\n")) for one in paragraphs)


@pytest.mark.parametrize(
    "text",
    [
        "เรียน ผู้ใช้บริการ\nโปรดตอบภายใน 18 กรกฎาคม 2561\n\nขอบคุณ",
        "https://forms.example.com/f?a_b=1&c_d={token}\nmailto:x+y_z@library.example.com",
        "--\nwhy: *you* are a `member` <b>of</b> ours | #1\n# no heading\n1. no list\n- nor here\n+ nor here\n===",
        "back\\slash and [no](link) and ![no](picture) and ~no~",
    ],
)
def test_a_mail_is_quoted_line_by_line_as_it_stands(text: str) -> None:
    assert read(quoted(text)) == text
