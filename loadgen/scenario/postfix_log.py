"""The arrivals in a Postfix log: when mail came into its queue, how large it was, for how many recipients.

One line of the queue manager is one arrival: `postfix/qmgr[pid]: QUEUE-ID: from=<…>, size=N, nrcpt=N (queue
active)`. A deferred message enters the active queue again at every retry, under the same queue id: only the first
time counts, until `QUEUE-ID: removed` gives the id free. Every other line is passed over, so a whole mail.log will do.

Time stamps are RFC 3339, or syslog's old form (RFC 3164 §4.1.2: `Mar  7 09:15:02`), which names neither year nor
zone: a month that jumps back begins a new year. Stamps of whole seconds hide where in its second mail came; the
mails of one second are spread evenly over it, for bursts at every full second would be of the log's making.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from typing import Final

from loadgen.scenario.datafile import LineProblems, read_lines
from loadgen.scenario.instants import days_from_1970, rfc_3339_ns
from loadgen.scenario.problems import Problem, UnreadableError, show
from loadgen.scenario.quantities import NS_PER_S, SIZE_OCTETS_MAX

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SYSLOG: Final = rf"({'|'.join(_MONTHS)}) +([0-9]{{1,2}}) ([0-9]{{2}}):([0-9]{{2}}):([0-9]{{2}})"
_SYSLOG_STAMP: Final = re.compile(_SYSLOG)
_LEAP_YEAR: Final = 2024

STAMP: Final = re.compile(rf"(?:{_SYSLOG}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[^\s,]+) ")
"""How a line of a log begins, and no row of a CSV file."""

# Long queue ids have letters of both cases; instances may be called postfix-out; nqmgr was qmgr's name once.
_QMGR: Final = re.compile(
    r" [^ /\[]*/n?qmgr\[[0-9]+\]: ([0-9A-Za-z]+): "
    r"(?:from=<.*>, size=([0-9]+), nrcpt=([0-9]+) \(queue active\)|removed\s*$)"
)

Columns = tuple[Sequence[int], Sequence[int], Sequence[int]]   # ns after the first, octets, recipients


def read_log(file: str, *, entries_max: int) -> Columns:
    """Return the arrivals in a log, in time's order. Raises UnreadableError."""
    problems = LineProblems(file)
    stamps, whole_seconds = _Stamps(), True
    instants: list[int] = []
    sizes, recipients = array("q"), array("q")
    for line, stamp, size, count in _arrivals(read_lines(file, errors="replace")):
        try:
            instants.append(stamps.read(stamp))
        except ValueError:
            problems.add(line, f"got {show(stamp)}, expected a syslog or RFC 3339 time stamp")
            continue
        whole_seconds = whole_seconds and "." not in stamp
        sizes.append(min(SIZE_OCTETS_MAX, max(1, size)))
        recipients.append(max(1, count))
        if len(instants) > entries_max:
            problems.add(line, f"more than {entries_max} arrivals are more than one replay can hold")
            break
    problems.raise_any()
    if not instants:
        form = "postfix/qmgr[…]: …: from=<…>, size=…, nrcpt=… (queue active)"
        what = f"{file} is a log without a line of Postfix's queue manager: {form}"
        raise UnreadableError([Problem("", what=what)])
    # Lines of several hosts, or of an hour that came twice, need not ascend: the stamps say the order.
    order = sorted(range(len(instants)), key=instants.__getitem__)
    ascending = [instants[i] - instants[order[0]] for i in order]
    if whole_seconds:
        ascending = list(_spread(ascending))
    return array("q", ascending), array("q", (sizes[i] for i in order)), array("q", (recipients[i] for i in order))


def _arrivals(lines: Iterator[str]) -> Iterator[tuple[int, str, int, int]]:
    """Yield line number, time stamp, size and recipients of each message's first entry into the active queue."""
    queued: set[str] = set()
    for number, line in enumerate(lines, 1):
        if "qmgr[" not in line or (match := _QMGR.search(line)) is None:
            continue
        queue_id, size, count = match[1], match[2], match[3]
        if size is None:
            queued.discard(queue_id)
        elif queue_id not in queued:
            queued.add(queue_id)
            stamp = _SYSLOG_STAMP.match(line)
            yield number, stamp[0] if stamp else line.partition(" ")[0], int(size), int(count)


class _Stamps:
    """Reads the time stamps of one log, line after line, and counts the years that syslog's old form leaves out.

    A year has a 29th of February if the log has one.
    """

    def __init__(self) -> None:
        self._days = 0            # those of the years that are over
        self._leap_day = 0        # 1 once this year has had its own
        self._month = 0

    def read(self, text: str) -> int:
        """Return the ns to a time stamp from 1970, or from the log's first year; ValueError if it is none."""
        match = _SYSLOG_STAMP.fullmatch(text)
        if match is None:
            return rfc_3339_ns(text)
        month, day = _MONTHS.index(match[1]) + 1, int(match[2])
        hour, minute, second = int(match[3]), int(match[4]), int(match[5])
        if hour > 23 or minute > 59 or second > 60:
            raise ValueError(text)
        in_leap_year = days_from_1970(_LEAP_YEAR, month, day) - days_from_1970(_LEAP_YEAR, 1, 1)
        if month < self._month - 6:          # from December to January; a line or two out of order go back less
            self._days += 365 + self._leap_day
            self._leap_day = 0
        self._month = month
        self._leap_day = self._leap_day or int((month, day) == (2, 29))
        days = self._days + in_leap_year - (0 if month <= 2 else 1 - self._leap_day)
        return ((days * 24 + hour) * 3600 + minute * 60 + second) * NS_PER_S


def _spread(instants: list[int]) -> Iterator[int]:
    """Yield ascending whole seconds, those that are equal spread evenly over their second."""
    first = 0
    while first < len(instants):
        after = first
        while after < len(instants) and instants[after] == instants[first]:
            after += 1
        for i in range(first, after):
            yield instants[first] + (i - first) * NS_PER_S // (after - first)
        first = after
