"""Traces: CSV files of arrivals and Postfix logs, and every sentence a bad one gets."""

import pickle
from fractions import Fraction
from pathlib import Path

import pytest

from loadgen.scenario.problems import UnreadableError
from loadgen.scenario.trace import Told, Trace, TraceFile

NS_PER_S = 10**9


def read(path: Path, text: str | bytes) -> Trace:
    file = path / "trace"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return TraceFile.parse(str(file)).trace


def seconds(trace: Trace) -> list[float]:
    return [at_ns / NS_PER_S for at_ns in trace.instants_ns]


def said_of(path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(UnreadableError) as caught:
        read(path, text)
    return [str(problem).replace(str(path), "") for problem in caught.value.problems]


def told(trace: Trace) -> list[Told | None]:
    return [trace.told(i) for i in range(len(trace.instants_ns))]


def test_a_trace_of_instants_alone_tells_of_no_message(tmp_path: Path) -> None:
    trace = read(tmp_path, "100.5\n100.5\n101\n")
    assert seconds(trace) == [0, 0, 0.5]
    assert told(trace) == [None, None, None]
    assert (trace.tells_messages, trace.recipients_max) == (False, 0)


def test_a_trace_may_tell_sizes_and_recipients_of_some_messages(tmp_path: Path) -> None:
    heading = "# one morning\ninstant,recipients,size\n"
    trace = read(tmp_path, heading + "08:00,2,4 KiB\n08:01,,100\n08:02,3\n08:03\n08:04,,0\n")
    assert seconds(trace) == [0, 60, 120, 180, 240]
    assert told(trace) == [Told(4096, 2), Told(100, None), Told(None, 3), None, Told(1, None)]
    assert (trace.tells_messages, trace.recipients_max) == (True, 3)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ["/trace holds no arrival"]),
        ("# nothing\n\n", ["/trace holds no arrival"]),
        ("instant\n", ["/trace holds no arrival"]),
        ("1\n0\n", ["line 2 of /trace: 0 comes before the instant on line 1: they must ascend"]),
        ("1,4 kib\n", ['line 1 of /trace: got "4 kib", expected a size such as "4 KiB"; did you mean "4 KiB"?']),
        ("1,10,0\n", ['line 1 of /trace: got "0", expected a number of recipients, 1 or more']),
        ("1,10,two\n", ['line 1 of /trace: got "two", expected a number of recipients, 1 or more']),
        ("1,10,2,3\n", ["line 1 of /trace: expected instant,size,recipients"]),
        ("soon\n", ['line 1 of /trace: got "soon", expected seconds, a time of day or an RFC 3339 instant']),
    ],
)
def test_every_line_that_is_no_arrival_is_named(text: str, sentences: list[str], tmp_path: Path) -> None:
    assert said_of(tmp_path, text) == sentences


def test_a_trace_file_that_cannot_be_read_gets_its_sentence(tmp_path: Path) -> None:
    for file, sentence in [
        (str(tmp_path / "none.log"), f"no such file: {tmp_path}/none.log"),
        (3, 'got 3, expected the name of a CSV file of instant,size,recipients or of a Postfix log such as "mail.log"'),
    ]:
        with pytest.raises(UnreadableError) as caught:
            TraceFile.parse(file)
        assert [str(problem) for problem in caught.value.problems] == [sentence]


@pytest.mark.parametrize(
    ("at_ns", "speed", "count"),
    [(0, 1, 0), (1, 1, 2), (10, 1, 2), (11, 1, 3), (99, 1, 4), (5, 2, 2), (6, 2, 3), (30, Fraction(1, 3), 2)],
)
def test_arrivals_before_an_instant_are_counted_at_any_speed(at_ns: int, speed: int, count: int) -> None:
    nothing = (0, 0, 0, 0)
    trace = Trace("x", (0, 0, 10, 20), nothing, nothing)
    assert trace.count_before(at_ns, Fraction(speed)) == count


def test_a_trace_crosses_to_another_process_whole(tmp_path: Path) -> None:
    read(tmp_path, "1,10,2\n2\n")
    file = TraceFile.parse(str(tmp_path / "trace"))
    assert pickle.loads(pickle.dumps(file)) == file
    assert hash(file) == hash(pickle.loads(pickle.dumps(file)))


# As Postfix 3.9 writes it, by rsyslog's new and old defaults; what other daemons say is passed over.
SYSLOG = """\
Dec 31 23:59:58 mx postfix/smtpd[11]: connect from unknown[192.0.2.7]
Dec 31 23:59:58 mx postfix/smtpd[11]: 4Tk1Qf6JvTz1yn: client=unknown[192.0.2.7]
Dec 31 23:59:58 mx postfix/cleanup[12]: 4Tk1Qf6JvTz1yn: message-id=<a@example.test>
Dec 31 23:59:58 mx postfix/qmgr[9]: 4Tk1Qf6JvTz1yn: from=<a@example.test>, size=1500, nrcpt=2 (queue active)
Dec 31 23:59:58 mx postfix/qmgr[9]: 4Tk1Qf70xYz1yo: from=<>, size=900, nrcpt=1 (queue active)
Dec 31 23:59:59 mx postfix/smtp[13]: 4Tk1Qf6JvTz1yn: to=<b@example.test>, relay=none, delay=1, status=deferred (no)
Dec 31 23:59:59 mx postfix/qmgr[9]: 4Tk1Qf70xYz1yo: removed
Jan  1 00:00:01 mx postfix-out/qmgr[9]: 4Tk1Qf6JvTz1yn: from=<a@example.test>, size=1500, nrcpt=2 (queue active)
Jan  1 00:00:02 mx postfix/nqmgr[9]: 4Tk1Qf70xYz1yo: from=<c>d@example.test>, size=70, nrcpt=1 (queue active)
Jan  1 00:00:02 mx postfix/qmgr[9]: 4Tk1Qf6JvTz1yn: from=<a@example.test>, status=expired, returned to sender
"""


def test_a_postfix_log_gives_each_message_s_first_entry_into_the_queue(tmp_path: Path) -> None:
    trace = read(tmp_path, SYSLOG)
    assert seconds(trace) == [0, 0.5, 4]                     # two in one second: spread over it
    assert told(trace) == [Told(1500, 2), Told(900, 1), Told(70, 1)]      # the retry is no arrival; a freed id is one


def test_a_log_with_rfc_3339_time_stamps_is_exact_and_goes_by_them(tmp_path: Path) -> None:
    line = "{} mx postfix/qmgr[9]: {}: from=<a@example.test>, size={}, nrcpt=1 (queue active)\n"
    stamps = ["2024-02-29T23:59:59.250000+01:00", "2024-02-29T23:00:00.500001Z", "2024-02-29T23:00:00.000001Z"]
    trace = read(tmp_path, "".join(line.format(stamp, f"A{i}", i + 1) for i, stamp in enumerate(stamps)))
    assert list(trace.instants_ns) == [0, 750_001_000, 1_250_001_000]
    assert list(trace.sizes) == [1, 3, 2]


@pytest.mark.parametrize(
    ("before", "after", "days"),
    [("Feb 28", "Mar  1", 1), ("Feb 28", "Feb 29", 1), ("Dec 31", "Jan  1", 1), ("Jan 31", "Feb  1", 1),
     ("Mar  1", "Mar 31", 30), ("Nov 30", "Feb  1", 63)],
)   # fmt: skip
def test_old_time_stamps_are_counted_by_the_calendar(before: str, after: str, days: int, tmp_path: Path) -> None:
    line = "{} 12:00:00 mx postfix/qmgr[9]: {}: from=<>, size=1, nrcpt=1 (queue active)\n"
    assert seconds(read(tmp_path, line.format(before, "A") + line.format(after, "B"))) == [0, days * 86400]


def test_a_log_that_has_a_leap_day_counts_it(tmp_path: Path) -> None:
    line = "{} 12:00:00 mx postfix/qmgr[9]: {}: from=<>, size=1, nrcpt=1 (queue active)\n"
    days = ["Feb 28", "Feb 29", "Mar  1", "Dec 31", "Jan  1", "Mar  1"]
    text = "".join(line.format(day, f"A{i}") for i, day in enumerate(days))
    assert [second / 86400 for second in seconds(read(tmp_path, text))] == [0, 1, 2, 307, 308, 308 + 59]


def test_a_log_of_old_stamps_spreads_the_mails_of_one_second(tmp_path: Path) -> None:
    line = "Mar  7 09:15:{:02} mx postfix/qmgr[9]: A{}: from=<>, size=1, nrcpt=1 (queue active)\n"
    trace = read(tmp_path, "".join(line.format(second, i) for i, second in enumerate([1, 1, 1, 1, 3, 4, 4])))
    assert seconds(trace) == [0, 0.25, 0.5, 0.75, 2, 3, 3.5]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mar  7 09:15:02 mx postfix/smtpd[1]: connect from x\n",
            ["/trace is a log without a line of Postfix's queue manager: postfix/qmgr[…]: …: from=<…>, size=…, nrcpt=… "
             "(queue active)"]),
        ("Mar 77 09:15:02 mx postfix/qmgr[9]: A: from=<>, size=1, nrcpt=1 (queue active)\n",
            ['line 1 of /trace: got "Mar 77 09:15:02", expected a syslog or RFC 3339 time stamp']),
        ("Mar  7 29:15:02 mx postfix/qmgr[9]: A: from=<>, size=1, nrcpt=1 (queue active)\n",
            ['line 1 of /trace: got "Mar  7 29:15:02", expected a syslog or RFC 3339 time stamp']),
        ("Mar  7 09:15:02 mx postfix/x[1]: y\nMär 7 mx postfix/qmgr[9]: A: from=<>, size=1, nrcpt=1 (queue active)\n",
            ['line 2 of /trace: got "Mär", expected a syslog or RFC 3339 time stamp']),
        ("2024-02-30T10:00:00Z mx postfix/qmgr[9]: A: from=<>, size=1, nrcpt=1 (queue active)\n",
            ['line 1 of /trace: got "2024-02-30T10:00:00Z", expected a syslog or RFC 3339 time stamp']),
    ],
)   # fmt: skip
def test_a_log_that_cannot_be_replayed_gets_its_sentence(text: str, sentences: list[str], tmp_path: Path) -> None:
    assert said_of(tmp_path, text) == sentences


def test_a_log_need_not_be_utf_8(tmp_path: Path) -> None:
    text = b"Mar  7 09:15:02 mx postfix/qmgr[9]: A: from=<caf\xe9@x.test>, size=5, nrcpt=1 (queue active)\n"
    assert told(read(tmp_path, text)) == [Told(5, 1)]
