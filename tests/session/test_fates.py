"""Which recipients a session leaves to be tried again: those who were put off or never asked for, and no other."""

import pytest
from trio.testing import MockClock

from tests.session.theatre import GOLDEN, Tls, Transcript, read_transcript, stage, turns_of

DELIVERIES = [
    transcript
    for transcript in map(read_transcript, sorted(GOLDEN.glob("*.txt")))
    if transcript.head["session"].endswith("-deliver")
]
HELLO = "S: 220 hi\nC: EHLO mailproof.invalid\nS: 250 hi\n"
LHLO = HELLO.replace("EHLO", "LHLO")
MAIL = "C: MAIL FROM:<load@example.test>\n"
TO_1, TO_2, TO_3 = (f"C: RCPT TO:<user{n}@example.test>\n" for n in (1, 2, 3))
OK = "S: 250 ok\n"
BODY = "C: DATA\nS: 354 go on\nC: {message 0}\n"
QUIT = "C: QUIT\nS: 221 bye\n*: close\n"
PIPELINING = HELLO.replace("250 hi", "250-hi\nS: 250 PIPELINING")
GROUP = MAIL + TO_1 + TO_2 + "C: DATA\n"

# name: (kind, recipients, what is said, fates: y taken, n refused for good, - to be tried again)
TABLE = {
    "taken": ("smtp", 1, HELLO + MAIL + OK + TO_1 + OK + BODY + OK + QUIT, "y"),
    "greylisted": ("smtp", 1, HELLO + MAIL + OK + TO_1 + "S: 450 4.7.1 later\n" + QUIT, "-"),
    "one of three put off, one refused": (
        "smtp", 3, HELLO + MAIL + OK + TO_1 + "S: 450 later\n" + TO_2 + OK + TO_3 + "S: 550 no\n" + BODY + OK + QUIT,
        "-yn",
    ),
    "552 to RCPT is 5yz": ("smtp", 1, HELLO + MAIL + OK + TO_1 + "S: 552 full\n" + QUIT, "n"),
    "MAIL put off": ("smtp", 2, HELLO + MAIL + "S: 451 busy\n" + QUIT, "--"),
    "MAIL refused": ("smtp", 2, HELLO + MAIL + "S: 550 not you\n" + QUIT, "nn"),
    "MAIL put off, and 503 to what was pipelined behind it": (
        "smtp", 2, PIPELINING + GROUP + "S: 451 busy\n" + "S: 503 order\n" * 3 + QUIT, "--",
    ),
    "554 to DATA for want of recipients": (
        "smtp", 2, PIPELINING + GROUP + OK + "S: 450 later\nS: 550 no\nS: 554 nobody\n" + QUIT, "-n",
    ),
    "554 to DATA with one recipient taken": (
        "smtp", 2, PIPELINING + GROUP + OK + OK + "S: 450 later\nS: 554 no\n" + QUIT, "n-",
    ),
    "451 to DATA": ("smtp", 1, HELLO + MAIL + OK + TO_1 + OK + "C: DATA\nS: 451 busy\n" + QUIT, "-"),
    "452 to the final dot": ("smtp", 1, HELLO + MAIL + OK + TO_1 + OK + BODY + "S: 452 full\n" + QUIT, "-"),
    "554 to the final dot": ("smtp", 1, HELLO + MAIL + OK + TO_1 + OK + BODY + "S: 554 no\n" + QUIT, "n"),
    "421 to the final dot": ("smtp", 1, HELLO + MAIL + OK + TO_1 + OK + BODY + "S: 421 bye\n*: close\n", "-"),
    "closed behind the final dot": ("smtp", 1, HELLO + MAIL + OK + TO_1 + OK + BODY + "*: close\n", "-"),
    "closed behind a refused recipient": (
        "smtp", 2, HELLO + MAIL + OK + TO_1 + "S: 550 no\n" + TO_2 + "*: close\n", "n-",
    ),
    "closed amid a pipelined group": (
        "smtp", 2, PIPELINING + GROUP + OK + "S: 550 no\n*: close\n", "n-",
    ),
    "greeted with 421": ("smtp", 1, "S: 421 busy\n*: close\n", "-"),
    "greeted with 554": ("smtp", 1, "S: 554 no service\n" + QUIT, "n"),
    "LMTP: each its own word": (
        "lmtp", 3, LHLO + MAIL + OK + TO_1 + OK + TO_2 + OK + TO_3 + OK + BODY
        + "S: 250 ok\nS: 452 full\nS: 552 full\n" + QUIT, "y-n",
    ),
    "LMTP: closed between two words": (
        "lmtp", 2, LHLO + MAIL + OK + TO_1 + OK + TO_2 + OK + BODY + "S: 250 ok\n*: close\n", "y-",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "recipients", "said", "fates"), TABLE.values(), ids=TABLE.keys())
async def test_what_is_said_settles_a_recipient_or_leaves_him_to_be_tried_again(
    kind: str, recipients: int, said: str, fates: str, autojump_clock: MockClock
) -> None:
    names = [f"user{n}@example.test" for n in range(1, recipients + 1)]
    head = {"session": f"{kind}-deliver", "recipients": " ".join(names), "pipelining": "if-offered"}
    played = await stage(Transcript("said", head, turns_of(said)))
    assert played.trace.fates is not None
    missing = object()
    found = [played.trace.fates.get((0, name), missing) for name in names]
    assert "".join("-" if one is missing else "n" if one is None else "y" for one in found) == fates


@pytest.mark.parametrize("transcript", DELIVERIES, ids=lambda transcript: transcript.name)
async def test_whoever_was_taken_is_so_noted_and_nobody_else(
    transcript: Transcript, tls: Tls, autojump_clock: MockClock
) -> None:
    played = await stage(transcript, tls=tls)
    fates = played.trace.fates
    assert fates is not None
    assert [name for (_, name), taken in fates.items() if taken is not None] == played.accepted


async def test_nothing_is_noted_where_nothing_is_tried_again(autojump_clock: MockClock) -> None:
    said = HELLO + MAIL + OK + TO_1 + OK + BODY + "S: 554 no\n" + QUIT
    transcript = Transcript("said", {"session": "smtp-deliver"}, turns_of(said))
    played = await stage(transcript, noting=False)
    assert played.trace.fates is None
