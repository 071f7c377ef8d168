"""A library's months, survey and work as a report shows them: made up after the published figures of 2018."""

from dataclasses import replace
from datetime import UTC, date, datetime

from engagement.labels import Label, labels
from engagement.measure.figures import Counts, Reachable
from engagement.monitor import content
from engagement.monitor.content import Content
from engagement.monitor.distribution import Distribution, Targets
from engagement.monitor.figures import GroupCount, PatronFigures
from engagement.monitor.findings import Choice, Finding
from engagement.monitor.rates import Rate
from engagement.monitor.report import Letterhead
from engagement.monitor.surveys import Survey
from engagement.monitor.trend import Point
from engagement.monitor.work_items import WorkItem, WorkItems
from engagement.period import Period

LETTERHEAD = Letterhead(
    library=Label("สำนักหอสมุด มหาวิทยาลัยขอนแก่น", "Khon Kaen University Library"),
    contact=Label("ภารกิจลูกค้าสัมพันธ์", "Customer Relations"),
    email="report@library.example.org",
)
READ_AT = datetime(2018, 8, 7, 1, tzinfo=UTC)
WORK = WorkItems((), (), READ_AT)

JUNE = PatronFigures(
    period=Period(2018, 6),
    extracted=60_403,
    current=16_871,
    real_customers=12_083,
    real_persons=11_968,
    mailable=12_083,
    rejected=48_320,
    rejected_by_reason={"undecodable": 61, "not_current": 43_471, "name": 3_120, "email": 21_873},
    rejected_by_first_reason={
        "undecodable": 61,
        "not_current": 43_471,
        "name": 512,
        "email": 4_276,
    },
    by_group={
        "staff": GroupCount(5_010, 2_300),
        "undergraduate": GroupCount(24_500, 6_300),
        "graduate": GroupCount(11_200, 1_900),
        "international": GroupCount(903, 350),
        "alumni_retired": GroupCount(13_890, 480),
        "external": GroupCount(2_400, 430),
        "pupil": GroupCount(2_000, 323),
        "unmapped": GroupCount(500, 0),
    },
    as_of_date=date(2018, 6, 27),
    published_at=datetime(2018, 6, 30, 17, 9, tzinfo=UTC),
    definition="a",
)
# July: 600 records and 700 real customers more, all of them undergraduates; 20 alumni fewer, 20 staff more.
JULY = replace(
    JUNE,
    period=Period(2018, 7),
    extracted=61_003,
    current=17_371,
    real_customers=12_783,
    real_persons=12_660,
    mailable=12_771,
    rejected=48_220,
    rejected_by_first_reason=JUNE.rejected_by_first_reason
    | {"not_current": 43_571, "email": 4_076},
    rejected_by_reason=JUNE.rejected_by_reason | {"not_current": 43_571},
    by_group=JUNE.by_group
    | {
        "undergraduate": GroupCount(25_100, 7_000),
        "staff": GroupCount(5_010, 2_320),
        "alumni_retired": GroupCount(13_890, 460),
    },
    as_of_date=date(2018, 7, 31),
    published_at=datetime(2018, 7, 31, 17, 7, tzinfo=UTC),
)


SAID = Distribution(
    library=LETTERHEAD.library,
    contact=LETTERHEAD.contact,
    email=LETTERHEAD.email,
    recipients=["director@library.example.com"],
)
CUT_AT = datetime(2018, 8, 7, 1, tzinfo=UTC)


def choice(th, en, count, base):
    return Choice(Label(th, en), count, content.percentage(count, base))


NEWS = Survey(
    campaign="news-2018-07",
    title=Label("แบบสำรวจการรับรู้ข่าวสารของสำนักหอสมุด", "Survey on the library's news"),
    frame_period=Period(2018, 6),
    stand="closed",
    stopped_for=None,
    began=date(2018, 7, 9),
    ends=date(2018, 7, 18),
    counts=Counts(
        frame=11_968,
        invited=1_567,
        sent=1_567,
        hard_bounced=893,
        soft_bounced=3,
        uncertain=0,
        delivered=671,
        opted_out=4,
        answered=398,
        sampled=1_567,
    ),
    bounced=Rate(893, 1_567, 893 / 1_567, 0.546, 0.594),
    answered=Rate(398, 1_567, 398 / 1_567, 0.234, 0.275),
    answered_of_delivered=Rate(398, 671, 398 / 671, 0.556, 0.63),
    findings=(
        Finding(
            "group",
            "group",
            Label("สถานภาพของผู้ตอบแบบสอบถาม", "Your status"),
            398,
            tuple(
                Choice(labels().group(code), count, 100 * count / 398)
                for code, count in {
                    "undergraduate": 206,
                    "graduate": 70,
                    "staff": 51,
                    "international": 23,
                    "alumni_retired": 21,
                    "external": 17,
                    "pupil": 10,
                }.items()
            ),
        ),
        Finding(
            "channel",
            "choices",
            Label("ท่านรับรู้ข่าวสารผ่านช่องทางใดบ้าง", "Through which channels do you hear our news?"),
            398,
            (
                choice("อินเทอร์เน็ตและสื่อสังคมออนไลน์", "Internet and social media", 299, 398),
                choice("สื่อสิ่งพิมพ์", "Print", 64, 398),
                choice("บุคคล", "People", 34, 398),
                choice("สื่อวิทยุ", "Radio", 1, 398),
            ),
        ),
        Finding(
            "time_slot",
            "choice",
            Label("ช่วงเวลาที่ท่านสะดวกในการรับข่าวสาร", "When is it convenient to receive news?"),
            398,
            (
                choice("16.00-20.00 น.", "16:00-20:00", 181, 398),
                choice("12.00-16.00 น.", "12:00-16:00", 89, 398),
                choice("20.00-24.00 น.", "20:00-24:00", 72, 398),
                choice("08.00-12.00 น.", "08:00-12:00", 56, 398),
            ),
        ),
        Finding(
            "needs",
            "scale",
            Label("ข้อมูลที่ได้รับตรงต่อความต้องการ", "The information meets my needs"),
            398,
            (
                choice("มากที่สุด", "Very satisfied", 140, 398),
                choice("มาก", "Satisfied", 181, 398),
                choice("ปานกลาง", "Neutral", 60, 398),
                choice("น้อย", "Dissatisfied", 12, 398),
                choice("น้อยที่สุด", "Very dissatisfied", 5, 398),
            ),
            choice("มากที่สุด + มาก", "Very satisfied + Satisfied", 321, 398),
        ),
    ),
)
STOPPED = replace(
    NEWS,
    campaign="hours-2018-07",
    title=Label("แบบสำรวจเวลาเปิดบริการ", "Survey on opening hours"),
    stand="stopped",
    stopped_for="too many mails bounced",
    counts=Counts(11_968, 100, 100, 61, 0, 0, 39, 0, 0, 0),
    bounced=Rate(61, 100, 0.61, 0.51, 0.7),
    answered=Rate(0, 100, 0.0, 0.0, 0.04),
    answered_of_delivered=Rate(0, 39, 0.0, 0.0, 0.09),
    findings=(),
)
REACHABLE = Reachable("2018-06", date(2018, 7, 8), 11_968, 0.43, 0.407, 0.453, 1_567)
TREND = (Point(Period(2018, 6), 12_083), Point(Period(2018, 7), 12_783))


def item(title, section="ongoing", status="กำลังดำเนินการ", progress=None, owner="", **more):
    return WorkItem("P1", section, title, owner, status, progress, None, **more)


def decision(number, wanted, deadline):
    return replace(
        item(f"งานที่ {number}", owner="ภารกิจประชาสัมพันธ์"),
        item_id=f"D{number}",
        wanted=wanted,
        deadline=deadline,
    )


DECISIONS = WorkItems(
    (
        item("ตรวจคุณภาพข้อมูลสมาชิก", "routine", "ตามกำหนด"),
        item("ปรับเวลาโพสต์เฟซบุ๊ก", "finished", "แล้วเสร็จ", 100),
        decision(1, "เปิดให้สมาชิกที่อีเมลตีกลับปรับปรุงข้อมูลที่เคาน์เตอร์หรือไม่", date(2018, 8, 15)),
        decision(2, "คงเวลาโพสต์ 16.00-20.00 น. ตลอดภาคการศึกษาหรือไม่", date(2018, 8, 3)),
        decision(3, "เปิดใช้ระบบ KKUL Digital Badge หรือไม่", date(2018, 8, 31)),
    ),
    (),
    READ_AT,
    first_filed={"D2": date(2018, 7, 4)},
)


def content_of(patrons, previous=None, work=WORK, said=SAID, **more):
    """Return what a report says; `more` as of `content.made`."""
    published = [one for one in (previous, patrons) if one is not None]
    points = tuple(
        Point(one.period, one.real_customers, one.definition != published[0].definition)
        for one in published
    )
    usual = {"points": points, "cut_at": CUT_AT, "run": "test"}
    return content.made(patrons, previous, said, work=work, **(usual | more))


def full() -> Content:
    """Return the content of a month with everything that a report can show."""
    said = SAID.model_copy(
        update={
            "targets": Targets(real_customers_pct=25, bounced_pct=5, answered_pct=25),
            "about_the_same_pct": 0.5,
        }
    )
    return content_of(
        JULY,
        JUNE,
        DECISIONS,
        said,
        surveys=(NEWS, STOPPED),
        reachable=REACHABLE,
        points=TREND,
    )


def shares_drawn(said):
    """Return the shares (0 to 100) that a report of one survey with answers draws as bars, in their order."""
    asked = said.surveys[0]
    people = (asked.counts.invited, asked.counts.delivered, asked.counts.answered)
    scales = [finding.satisfied for finding in asked.findings if finding.satisfied]
    choices = [c for finding in asked.findings if not finding.satisfied for c in finding.choices]
    return [
        *(100 * step.count / said.patrons.extracted for step in said.funnel.values()),
        *(group.figure.share for group in said.groups if group.figure),
        *(100 * count / asked.counts.invited for count in people),
        *(choice.share for choice in choices + scales),
    ]


def with_groups(figures, **real_customers):
    """Return figures whose groups have these real customers; undergraduates make up the rest."""
    groups = figures.by_group | {
        code: GroupCount(figures.by_group[code].extracted, real)
        for code, real in real_customers.items()
    }
    rest = figures.real_customers - sum(
        group.real_customers for code, group in groups.items() if code != "undergraduate"
    )
    groups["undergraduate"] = GroupCount(figures.by_group["undergraduate"].extracted, rest)
    return replace(figures, by_group=groups)


def without_real_customers(figures):
    """Return figures of a month in which every current member lacks an e-mail address."""
    more = figures.real_customers
    first, every = figures.rejected_by_first_reason, figures.rejected_by_reason
    return replace(
        figures,
        real_customers=0,
        real_persons=0,
        mailable=0,
        rejected=figures.extracted,
        rejected_by_first_reason=first | {"email": first["email"] + more},
        rejected_by_reason=every | {"email": every["email"] + more},
        by_group={code: GroupCount(g.extracted, 0) for code, g in figures.by_group.items()},
    )
