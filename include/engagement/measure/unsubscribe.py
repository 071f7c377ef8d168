"""One click and no more survey comes (RFC 8058): the link in a mail, and what it does."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re

from engagement import address, clock, opt_outs, warehouse
from engagement.settings import settings

_log = logging.getLogger(__name__)

_SIGNATURE_LETTERS = 32  # half of the digest, as RFC 2104, section 5, allows
# At the end of whatever path a reverse proxy hands on.
_CODE = re.compile(rf"/([0-9a-f]{{32}})([0-9a-f]{{{_SIGNATURE_LETTERS}}})$")


def link(token: str) -> str | None:
    """Return where a mail's recipient says no by a click, or None where the library has no such page.

    Args:
        token: the mail's own. Others may know it (it is the mail's Message-ID): our signature beside it
            shows that the link was in the mail.
    """
    page = settings().unsubscribe_url
    return None if page is None else f"{page}/{token}{_signature(token)}"


def mail_token(path: str) -> str | None:
    """Return the token of the mail that a link is of, by the link's path; None where we signed none such."""
    code = _CODE.search(path)
    if code is None or not hmac.compare_digest(code[2], _signature(code[1])):
        return None
    return code[1]


def unsubscribe(token: str) -> bool:
    """Leave a mail's recipient in peace, as a person and at that address; return whether there is such a mail.

    Neither a closed campaign nor a deleted personal link keeps anybody from it, and twice is as once.

    Raises:
        DatabaseError: the warehouse does not answer.
    """
    with warehouse.session() as session:
        found = session.one("measure/lock_mail", token=token)
        if found is None:
            return False
        session.run(
            "measure/suppress_objecting",
            mail_ids=[],
            message_ids=[found.message_id],
            now=clock.now(),
        )
    opt_outs.note(token)
    _log.info("Mail %s: its recipient unsubscribed by a click.", found.message_id)
    return True


def _signature(token: str) -> str:
    signed = hmac.digest(address.secret(), f"unsubscribe {token}".encode(), hashlib.sha256)
    return signed.hex()[:_SIGNATURE_LETTERS]
