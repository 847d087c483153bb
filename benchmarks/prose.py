"""What RESULTS.md says around the figures: how each was taken, and every known difference between the sides."""

from typing import Final

HEAD: Final = """\
# Results

Made by `make bench` and `make soak`; do not edit. How to run them again is in CONTRIBUTING.md.

Each comparison runs its sides in turn (A B, B A, A B …). Figures are medians, with the least and greatest of the
rounds in parentheses. **Ahead** is the median of the ratios round by round: above 1 mailproof is ahead, by more a
second or by less cost. Absolute figures say as much about the machine and the minute as about the programs; quote the
ratios. "Quick" marks figures of few messages and a single round: a sketch.

Where there are two cores and `taskset`, clients run on one and the server on the other. mailproof is the real
program, `mailproof run` of a scenario generated for the purpose, the ledger off and every phase of every session
recorded. Its rate is messages by its own result over the time it ran, and "CPU" the processor time (user and system)
of that time, which its health reports. "Whole process" is all that the system charged to the command: start-up and
imports before, reports after (some two seconds; the shorter the run, the more for each message). The clients in
Python time their own load in the same way; of smtp-source and postal the whole process is the load. The server's own
count of messages is held against each turn's; a turn that does not agree is left out, and named.
"""

GROUPS: Final = {
    "source": (
        "Postfix's smtp-source",
        """\
The server is `smtp-sink -c -m … 127.0.0.1:PORT BACKLOG`, a new one for each turn. The backlog is 512, or 4,096 from
1,000 sessions up: smtp-sink takes in one connection for up to a hundred other things it does, so most of many
sessions wait in the backlog, and what does not fit there waits for TCP's back-off, a second and then twice as long
each time, up to a minute. Both send the same number of messages, from the first connection to the end of the last
session. Differences:

- mailproof says EHLO and reads nine lines of extensions, smtp-source says HELO. Otherwise the same commands, one at a
  time: MAIL, RCPT, DATA, the dot, QUIT; both send the same number of octets (smtp-source's `-l` leaves its header out,
  so mailproof's size is that much larger).
- mailproof makes every message anew, with an id of its own, and draws its recipient from 100; smtp-source sends one.
- mailproof reads each reply by the grammar and records the time of every phase; smtp-source looks at the code and
  records nothing.
- smtp-source starts one connection after another, each when the last has connected. mailproof's virtual users begin
  5,000 a second (`ramp`) and are then on their own.
- smtp-source's sessions take their messages from one heap, so those that connected first send most: of 1,000 on kept
  connections 147 sent any of 4,000 messages, eight of them more than a quarter; of 5,000, with 20,000 messages of
  100 KiB, 346 sent 15,692, 3,924 one each, and 538 were not even greeted (`strace`). Each of mailproof's sends its
  share, and all are busy. That row is there once more with another server, `mailproof sink`, which takes in all who
  come at once and is several times quicker with large messages; there 337 of smtp-source's 5,000 sent all (`strace`,
  which slows it). The sink's own count is not asked: each message was answered 250.
- smtp-source resets its connections (SO_LINGER 0), mailproof closes them in an orderly way.""",
    ),
    "curve": (
        "The cost curve: more sessions at once",
        """\
![throughput and cost over the number of sessions](curve.svg)

Connections kept, 1 KiB, against `mailproof serve`: smtp-sink takes in so few connections while it is busy that most of
many sessions never reach it (above). Its rate is a limit here; the cost is the client's own. The last is 19,500 because
a process here may have 20,000 descriptors and the server is one process. One generator process throughout.""",
    ),
    "clients": (
        "Other clients",
        """\
The same sink and the same octets. `smtplib` and aiosmtplib say EHLO; aiosmtplib, `smtplib` and Locust's user open a
session for each message. The programs are in `benchmarks/clients`. postal holds itself to some 410 messages a second
(it throws away what does not fit its slots of five seconds) and sends bodies of up to 1 KiB: of it only the cost for
each message compares. It ends by being killed, and the sink has counted.""",
    ),
    "pop3": (
        "POP3",
        """\
`pop3-retrieve` and `poplib` say the same commands, one at a time: USER, PASS, STAT, LIST, UIDL, RETR and DELE for each
message, QUIT; the maildrops are Maildirs filled afresh for each turn.
UIDL is said twenty times in each of five sessions, by mailproof as `steps`; both frame the lines, neither
makes more of them. mpop is a mail user's retriever, in C: it pipelines and writes the mail down, and its start-up, a
process for a few accounts, is part of its cost. rabid, of postal's package, says CAPA as well, and not STAT and UIDL,
and hashes every message; it takes maildrops at random, also those that it has emptied, and is killed amid its work:
what is gone is counted, and only the cost of each compares. Here the servers are the slower half, Dovecot with a
process for each session above all: the rate is theirs, the cost ours.""",
    ),
    "memory-clear": (
        "Memory for each session, clear text",
        """\
Sessions arrive evenly, say EHLO and wait; the resident memory of all of the generator's processes is read when every
session has its descriptor and the processes idle. "More than with few" takes off what the program holds with ten
sessions in as many processes: two workers are three processes, and pages they have in common count in each. The server
is a plain holder of sessions (`benchmarks/holder.py`) in several processes, for 20,000 are more than one may have.""",
    ),
    "memory-tls": (
        "Memory for each session, TLS",
        "The same in TLS from the start (`smtps`). CPython's ssl and OpenSSL hold most of it.",
    ),
    "costs": (
        "What the parts cost",
        """\
Each side in a process of its own, processor time, the best of five calls. The histogram's values are kept in a list
and folded in batches, once a second in a run. The transport's peer has a deadline around each send and receive, as
ours has.""",
    ),
}

SOAK: Final = """\
Two runs side by side against embedded servers on loopback, a quarter of the sessions in TLS: each virtual user mostly
holds a session and says NOOP every 5 s, and between delivers mail and empties maildrops; the ledger is off. There is a
maildrop for every five users, to which all of them come, so that little lies there; now and then two come at once, and
one is refused, as the maildrop is in use. Each second the resident memory, the descriptors and the threads of every
process are read. After a warm-up of a quarter of the time a line is laid through the means of 16 blocks of samples. It
*grows* if the 95 % interval of its slope lies above zero and reaches more than 2 % of the level in an hour; it is
*flat* if not, and the interval is narrower than ±10 % in an hour; else *undecided*."""

ALARM: Final = """\
Two reference servers stand beside each other, in which a message takes a fixed time, in one of them a tenth longer.
Sets of runs are made in turn against the first, against it again and against the second, every run in a process of its
own, and `mailproof compare` holds the latter two against the first. That an alarm is false, or missed, is a matter of
chance and of the noise: other work on the machine lengthens every session."""

CAPACITY: Final = """\
The embedded reference server works at so many messages side by side, each for an exponential time, as M/M/c: workers /
mean is what it can do. `mailproof capacity` searches for that without any gate on time, so that only the backlog tells;
sessions arrive by chance; the searches go on beside each other. Below the ceiling a queue wanders, above it it grows:
short stages cannot tell the two apart within some per cent, and the long one decides."""
