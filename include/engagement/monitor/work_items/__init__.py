"""The librarians' lists of work: written as a template, read for a period's report, answered by mail.

They are kept by people, so nothing in them is trusted and nothing in them stops the report: what cannot be
read comes back as sentences that name the cell. Headings, choices and sentences: `include/work_items.yaml`.
"""

from engagement.monitor.work_items.items import LIMITS, WorkItem, WorkItems
from engagement.monitor.work_items.notice import tell_faults, tell_in_time
from engagement.monitor.work_items.proposing import proposals
from engagement.monitor.work_items.reading import read
from engagement.monitor.work_items.template import write_template
from engagement.monitor.work_items.vocabulary import words

__all__ = [
    "LIMITS",
    "WorkItem",
    "WorkItems",
    "proposals",
    "read",
    "tell_faults",
    "tell_in_time",
    "words",
    "write_template",
]
