"""Metrics of the replies: how often one code, or a class of them, was given to a phase, a protocol, or at all."""

import re
from collections.abc import Sequence
from typing import Final

from reports.document import Document, ReplyCount
from reports.load_result import OTHER_CODES
from reports.measure import Metric, Read
from reports.phases import PROTOCOLS

REPLY_METRIC: Final = "replies.<phase>.<code>"
REPLY_SHARE: Final = "replies.<phase>.<code>.share"

# A code, a class as RFC 5321 §4.2.1 writes it, an enhanced code (RFC 3463), POP3's status indicator, or no word at all.
_WORDLESS: Final = ("closed", "kept")
_POP3_CODES: Final = ("+OK", "-ERR", *_WORDLESS)
_CODE: Final = r"\+OK|-ERR|closed|kept|[1-5](?:yz|[0-9]{2})|[245]\.[0-9]{1,3}\.[0-9]{1,3}"
_METRIC: Final = re.compile(rf"replies\.(?:(?P<where>[^.]+(?:\.[^.]+)?)\.)?(?P<code>{_CODE})(?P<share>\.share)?")


def reply_metric(name: str) -> tuple[str, Metric] | None:
    """Return the metric of this name, and the phase, the protocol or "" that it is about; None if it is another's."""
    found = _METRIC.fullmatch(name)
    if found is None:
        return None
    where, code = found["where"] or "", found["code"]
    if not _belongs(code, where):
        return None
    shared = found["share"] is not None
    reads = [_reader(where, code, shared=shared, certain=certain) for certain in (False, True)]
    absent = f"no reply to {where} was seen" if "." in where else f"no reply{f' of {where}' if where else ''} was seen"
    return where, Metric(name, "share" if shared else "count", reads[0], absent, least=reads[1])


def _belongs(code: str, where: str) -> bool:
    """Say whether a protocol has such a code: POP3 has two, and the others do not have these."""
    if where.partition(".")[0] == "pop3":
        return code in _POP3_CODES
    return where == "" or code in _WORDLESS or code not in _POP3_CODES


def _reader(where: str, code: str, *, shared: bool, certain: bool) -> Read:
    def read(document: Document, _: float | None) -> float | None:
        seen = _seen(document, where)
        if not seen:
            return None
        found = sum(each.count for each in seen if _is(each, code, certain=certain))
        return found / sum(each.count for each in seen) if shared else found

    return read


def _seen(document: Document, where: str) -> Sequence[ReplyCount]:
    replies = () if document.load is None else document.load.replies
    if not where:
        return replies
    if where in PROTOCOLS:
        return [each for each in replies if each.phase.startswith(f"{where}.")]
    return [each for each in replies if each.phase == where]


def _is(reply: ReplyCount, code: str, *, certain: bool) -> bool:
    if "." in code:
        return reply.enhanced == code or (not certain and reply.enhanced == OTHER_CODES and reply.code[:1] == code[0])
    return reply.code == code or (code[1:] == "yz" and reply.code[:1] == code[0])
