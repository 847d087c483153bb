"""The ledger's classes: by table, and against a model of ten lines."""

import pickle
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from loadgen.ledger.journal import Journal
from loadgen.ledger.ledger import Ledger
from loadgen.ledger.steps import finished
from loadgen.message.stamp import Stamp
from loadgen.session.trace import Offered, Retrieved, Trace
from reports.ledger_result import CLASSES, COUNTS, LedgerResult

A, B, C = "a@example.test", "b@example.test", "c@example.test"
SENT, CHANGED = b"digest as sent", b"another digest"


def sent(
    message: str, *, offered: tuple[str, ...] = (A,), yes: tuple[str, ...] = (), no: tuple[str, ...] = ()
) -> Trace:
    """A session that offered one message and was told yes for some, no for some, and nothing for the others."""
    trace = Trace(begun=[Offered(Stamp(f"{message}.0", SENT), offered)])
    for recipients, accepted in ((yes, True), (no, False)):
        if recipients:
            trace.settle(recipients, accepted=accepted, at_ns=1)
    return trace


def found(message: str, maildrop: str = A, unique_id: bytes | None = b"u1", digest: bytes = SENT) -> Retrieved:
    return Retrieved(maildrop, unique_id, Stamp(f"{message}.0", digest), 100, 1)


def read(*retrieved: Retrieved) -> Trace:
    return Trace(retrieved=list(retrieved))


YES = sent("ours.1", yes=(A,))
FOREIGN = Retrieved(A, b"u9", None, 100, 1)

ONCE = {"accepted": 1, "delivered_once": 1}
TWICE = {"accepted": 1, "duplicate": 1}
CORRUPT = {"accepted": 1, "corrupt": 1}

TABLE: dict[str, tuple[list[Trace], dict[str, int]]] = {
    "nothing": ([], {}),
    "accepted and found": ([YES, read(found("ours.1"))], ONCE),
    "found before its sender's session ended": ([read(found("ours.1")), YES], ONCE),
    "accepted and not found": ([YES, read()], {"accepted": 1, "lost": 1}),
    "accepted for an unread maildrop": ([sent("ours.1", offered=(C,), yes=(C,))], {"accepted": 1, "pending": 1}),
    "found though its maildrop was not read to the end": (
        [sent("ours.1", offered=(C,), yes=(C,)), read(found("ours.1", C))], ONCE,
    ),
    "found twice": (
        [YES, read(found("ours.1"), found("ours.1", unique_id=b"u2"))], TWICE,
    ),
    "found twice, in two sessions": (
        [YES, read(found("ours.1")), read(found("ours.1", unique_id=b"u2"))], TWICE,
    ),
    "the same seen twice": ([YES, read(found("ours.1")), read(found("ours.1"))], ONCE),
    "changed": ([YES, read(found("ours.1", digest=CHANGED))], CORRUPT),
    "one of two copies changed": (
        [YES, read(found("ours.1"), found("ours.1", unique_id=b"u2", digest=CHANGED))], CORRUPT,
    ),
    "changed when first seen, whole when seen again": (
        [YES, read(found("ours.1", digest=CHANGED)), read(found("ours.1"))], CORRUPT,
    ),
    "the neighbour has it": ([YES, read(found("ours.1", B))], {"accepted": 1, "lost": 1, "misdelivered": 1}),
    "the neighbour has it too": (
        [YES, read(found("ours.1"), found("ours.1", B))], {"accepted": 1, "delivered_once": 1, "misdelivered": 1},
    ),
    "refused and delivered": ([sent("ours.1", no=(A,)), read(found("ours.1"))], {"rejected": 1, "misdelivered": 1}),
    "refused and not delivered": ([sent("ours.1", no=(A,)), read()], {"rejected": 1}),
    "refused for one of two, and delivered to him": (
        [sent("ours.1", offered=(A, B), yes=(B,), no=(A,)), read(found("ours.1"), found("ours.1", B))],
        {"accepted": 1, "delivered_once": 1, "rejected": 1, "misdelivered": 1},
    ),
    "never offered": ([read(found("ours.7"))], {"misdelivered": 1}),
    "ambiguous and found": ([sent("ours.1"), read(found("ours.1"))], {"ambiguous": 1, "ambiguous_arrived": 1}),
    "ambiguous and changed": ([sent("ours.1"), read(found("ours.1", digest=CHANGED))], {"corrupt": 1}),
    "ambiguous, and there twice though it was sent once": (
        [sent("ours.1"), read(found("ours.1"), found("ours.1", unique_id=b"u2"))], {"duplicate": 1},
    ),
    "ambiguous twice, and there twice": (
        [sent("ours.1"), sent("ours.1"), read(found("ours.1"), found("ours.1", unique_id=b"u2"))],
        {"duplicate_lawful": 1},
    ),
    "ambiguous and not found": ([sent("ours.1"), read()], {"ambiguous": 1}),
    "answered for one of three": (
        [sent("ours.1", offered=(A, B, C), yes=(A,)), read(found("ours.1"), found("ours.1", C))],
        {"accepted": 1, "delivered_once": 1, "ambiguous": 2, "ambiguous_arrived": 1},
    ),
    "never answered, then accepted, and there once": (
        [sent("ours.1"), sent("ours.1", yes=(A,)), read(found("ours.1"))], ONCE,
    ),
    "never answered, then accepted, and there twice": (
        [sent("ours.1"), sent("ours.1", yes=(A,)), read(found("ours.1"), found("ours.1", unique_id=b"u2"))],
        {"accepted": 1, "duplicate_lawful": 1},
    ),
    "never answered, then accepted, and there three times": (
        [
            sent("ours.1"), sent("ours.1", yes=(A,)),
            read(found("ours.1"), found("ours.1", unique_id=b"u2"), found("ours.1", unique_id=b"u3")),
        ],
        TWICE,
    ),
    "never answered twice, then accepted, and there three times": (
        [
            sent("ours.1"), sent("ours.1"), sent("ours.1", yes=(A,)),
            read(found("ours.1"), found("ours.1", unique_id=b"u2"), found("ours.1", unique_id=b"u3")),
        ],
        {"accepted": 1, "duplicate_lawful": 1},
    ),
    "never answered for two, then accepted for one, who has it twice": (
        [
            sent("ours.1", offered=(A, B)), sent("ours.1", yes=(A,)),
            read(found("ours.1"), found("ours.1", unique_id=b"u2"), found("ours.1", B)),
        ],
        {"accepted": 1, "duplicate_lawful": 1, "ambiguous": 1, "ambiguous_arrived": 1},
    ),
    "never answered, then accepted, and lost": (
        [sent("ours.1"), sent("ours.1", yes=(A,)), read()], {"accepted": 1, "lost": 1},
    ),
    "never answered, then refused, and there": (
        [sent("ours.1"), sent("ours.1", no=(A,)), read(found("ours.1"))],
        {"ambiguous": 1, "ambiguous_arrived": 1},
    ),
    "put off, then accepted, and there twice": (
        [sent("ours.1", no=(A,)), sent("ours.1", yes=(A,)), read(found("ours.1"), found("ours.1", unique_id=b"u2"))],
        TWICE,
    ),
    "two recipients, two maildrops": (
        [sent("ours.1", offered=(A, B), yes=(A, B)), read(found("ours.1"), found("ours.1", B))],
        {"accepted": 2, "delivered_once": 2},
    ),
    "mail of another run": ([YES, read(found("ours.1"), found("theirs.1"))], ONCE),
    "mail of strangers": ([YES, read(found("ours.1"), FOREIGN)], ONCE),
    "without UIDL": ([YES, read(found("ours.1", unique_id=None))], ONCE),
    "without UIDL, twice in one session": (
        [YES, read(found("ours.1", unique_id=None), found("ours.1", unique_id=None))], TWICE,
    ),
    "without UIDL, once in each of two sessions": (
        [YES, read(found("ours.1", unique_id=None)), read(found("ours.1", unique_id=None))],
        ONCE,
    ),
    "without UIDL once, with it once": (
        [YES, read(found("ours.1", unique_id=None)), read(found("ours.1"))], ONCE,
    ),
}  # fmt: skip


def counted(result: LedgerResult) -> dict[str, int]:
    """Return what there is any of. How much was sent follows: the result holds its own books to balance."""
    counts = {name: int(getattr(result, name)) for name in COUNTS if name != "sent"}
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("name", TABLE)
def test_each_case_is_in_its_class(name: str) -> None:
    traces, expected = TABLE[name]
    ledger = Ledger("ours")
    for trace in traces:
        ledger.add(trace)
    assert counted(ledger.result([A, B])) == expected


def test_copies_are_untold_once_a_server_without_uidl_was_read() -> None:
    ledger = Ledger("ours")
    ledger.add(read(found("ours.1"), Retrieved(A, None, None, 5, 1), found("theirs.1", unique_id=None)))
    assert not ledger.copies_untold, "what is not ours does not matter"
    ledger.add(read(found("ours.1", unique_id=None)))
    assert ledger.copies_untold


def test_what_is_owed_is_known_while_the_run_goes_on() -> None:
    ledger = Ledger("ours")
    ledger.add(read(found("ours.2")))
    for trace in (sent("ours.1", offered=(A, B), yes=(A, B)), sent("ours.2", yes=(A,)), sent("ours.3", offered=(C,))):
        ledger.add(trace)
    assert ledger.maildrops_written() == {A, B, C}, "what was never answered may be there"
    assert ledger.maildrops_owing() == {A, B}
    ledger.add(read(found("ours.1")))
    assert ledger.maildrops_owing() == {B}


@pytest.mark.parametrize(
    ("stamp", "ours"), [("ours.3", True), ("our.3.0", False), ("ours1.3.0", False), ("", False), ("ours", False)]
)
def test_a_run_owns_its_own_stamps_only(stamp: str, ours: bool) -> None:
    ledger = Ledger("ours")
    ledger.add(read(Retrieved(A, b"u1", Stamp(stamp, SENT), 100, 1)))
    assert ledger.result([A]).misdelivered == int(ours)


@pytest.mark.parametrize(
    "tail",
    ["99999999999999999999.0", "1.99999999999999999999", "1.0.5", "01.0", "-1.0", "1", "1.", "1.0 ", "1.\ufffd", "\0"],
)
def test_an_id_of_this_run_that_nobody_made_is_a_message_that_nobody_sent(tail: str) -> None:
    ledger = Ledger("ours")
    for trace in (YES, read(found("ours.1"), Retrieved(A, b"u2", Stamp(f"ours.{tail}", SENT), 100, 1))):
        ledger.add(trace)
    result = ledger.result([A])
    assert (result.delivered_once, result.misdelivered, result.duplicate) == (1, 1, 0)
    assert [one.message_id for one in result.irregularities] == [f"ours.{tail}"]


@pytest.mark.parametrize("merged", [False, True])
def test_what_was_refused_for_everybody_is_looked_for_all_the_same(merged: bool) -> None:
    refused = sent("ours.1", offered=(A, B, C), yes=(B,), no=(A, C))
    ledger = parts(refused) if merged else Ledger("ours")
    if not merged:
        ledger.add(refused)
    assert ledger.maildrops_written() == {A, B, C}
    assert parts(sent("ours.2", offered=(C,), no=(C,))).maildrops_written() == {C}


@dataclass
class Truth:
    """The model: what a message's sender was told for each recipient, and what lies in each maildrop."""

    told: dict[str, bool | None] = field(default_factory=dict)
    copies: dict[str, dict[bytes, bytes]] = field(default_factory=dict)     # maildrop -> unique-id -> digest

    def class_of(self, maildrop: str) -> str | None:
        copies, told = self.copies.get(maildrop, {}), self.told.get(maildrop, False)
        if told is False:
            return "rejected" if maildrop in self.told else None
        if not copies:
            return "ambiguous" if told is None else "lost" if maildrop in (A, B) else "pending"
        if set(copies.values()) != {SENT}:
            return "corrupt"
        if len(copies) > 1:
            return "duplicate"
        return "ambiguous" if told is None else "delivered_once"

    def is_misdelivered_to(self, maildrop: str) -> bool:
        return self.told.get(maildrop, False) is False and bool(self.copies.get(maildrop))


class LedgerAgainstModel(RuleBasedStateMachine):
    """Sessions send and read in any order; the ledger must count as the model does."""

    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger("ours")
        self.truth: dict[str, Truth] = {}
        self.copies = 0

    @rule(target=messages, told=st.dictionaries(st.sampled_from([A, B, C]), st.none() | st.booleans(), min_size=1))
    def send(self, told: dict[str, bool | None]) -> str:
        message = f"ours.{len(self.truth)}"
        self.truth[message] = Truth(told)
        by_word = {word: tuple(r for r, said in told.items() if said is word) for word in (True, False)}
        self.ledger.add(sent(message, offered=tuple(told), yes=by_word[True], no=by_word[False]))
        return message

    @rule(message=messages, maildrop=st.sampled_from([A, B, C]), digest=st.sampled_from([SENT, SENT, SENT, CHANGED]))
    def deliver(self, message: str, maildrop: str, digest: bytes) -> None:
        self.copies += 1
        self.truth[message].copies.setdefault(maildrop, {})[b"u%d" % self.copies] = digest
        self.read_all(maildrop)

    @rule(maildrop=st.sampled_from([A, B, C]))
    def read_all(self, maildrop: str) -> None:
        self.ledger.add(
            read(
                *(
                    found(message, maildrop, unique_id, digest)
                    for message, truth in self.truth.items()
                    for unique_id, digest in truth.copies.get(maildrop, {}).items()
                ),
                found("theirs.1", maildrop),
            )
        )

    @invariant()
    def counts_as_the_model_does(self) -> None:
        each = (truth.class_of(maildrop) for truth in self.truth.values() for maildrop in (A, B, C))
        classes = Counter(name for name in each if name is not None)
        result = self.ledger.result([A, B])
        assert {name: getattr(result, name) for name in CLASSES} == {name: classes[name] for name in CLASSES}
        assert result.sent == classes.total(), "the books balance"
        told = [said for truth in self.truth.values() for said in truth.told.values()]
        assert (result.sent, result.accepted) == (len(told), told.count(True))
        assert result.misdelivered == sum(
            truth.is_misdelivered_to(maildrop) for truth in self.truth.values() for maildrop in (A, B, C)
        )
        owing = {m for t in self.truth.values() for m, said in t.told.items() if said and not t.copies.get(m)}
        assert self.ledger.maildrops_owing() == owing


TestLedgerAgainstModel = LedgerAgainstModel.TestCase
TestLedgerAgainstModel.settings = settings(max_examples=25, stateful_step_count=20)


def parts(*entered: Trace) -> Ledger:
    """Return a ledger made of a journal for each of these."""
    whole = Ledger("ours")
    for trace in entered:
        journal = Journal()
        journal.add(trace)
        journal.close()
        finished(whole.read(pickle.loads(pickle.dumps(journal))))
    return whole


@pytest.mark.parametrize("name", TABLE)
def test_what_several_processes_entered_is_worth_the_same(name: str) -> None:
    traces, expected = TABLE[name]
    ledger = parts(*traces)
    assert counted(ledger.result([A, B])) == expected
    assert ledger.maildrops_owing() == parts(*reversed(traces)).maildrops_owing()


def test_with_pages_missing_nobody_is_accused() -> None:
    ledger = parts(YES, read(found("ours.2", B)))
    ledger.miss_pages()
    assert counted(ledger.result([A, B])) == {"accepted": 1, "pending": 1}


OTHER = found("ours.1", unique_id=b"u2")
THIRD = found("ours.1", unique_id=b"u3")


@pytest.mark.parametrize(
    ("crashes_ns", "copies", "expected"),
    [
        ((), [OTHER], TWICE),
        ((50,), [], ONCE),
        ((50,), [OTHER], {"accepted": 1, "duplicate_lawful": 1}),
        ((50,), [OTHER, THIRD], TWICE),
        ((50, 60), [OTHER, THIRD], {"accepted": 1, "duplicate_lawful": 1}),
        ((5,), [OTHER], TWICE),
        ((5, 50), [OTHER, THIRD], TWICE),
    ],
)
def test_one_more_copy_for_each_crash_that_was_over_after_it_was_sent_is_lawful(
    crashes_ns: tuple[int, ...], copies: list[Retrieved], expected: dict[str, int]
) -> None:
    """A server that is killed between delivering and noting it must deliver it again."""
    trace = sent("ours.1", yes=(A,))
    trace.dots[0] = 10
    ledger = parts(trace, read(found("ours.1"), *copies))
    assert counted(ledger.result([A, B], crashes_ns=crashes_ns)) == expected


def test_a_crash_excuses_no_loss() -> None:
    trace = sent("ours.1", yes=(A,))
    trace.dots[0] = 10
    assert counted(parts(trace).result([A, B], crashes_ns=(50,))) == {"accepted": 1, "lost": 1}
