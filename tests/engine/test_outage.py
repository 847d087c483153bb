"""Which sessions are of an outage that was asked for, and when it is over: told by the load alone."""

import pickle

from loadgen.clock import NS_PER_S
from loadgen.engine.outage import NEVER, Outage, Outages
from loadgen.engine.sample import Sample
from loadgen.session.outcome import ACCEPTED, INTERRUPTED, Break, Outcome, OutcomeKind

REFUSED = Outcome(OutcomeKind.FAILED, "smtp.connect", "refused", broken=Break.REFUSED)
CUT = Outcome(OutcomeKind.FAILED, "smtp.body", "closed", broken=Break.CUT)
SILENT = Outcome(OutcomeKind.TIMED_OUT, "smtp.body", "late", broken=Break.CUT)
NONSENSE = Outcome(OutcomeKind.FAILED, "smtp.mail", "no reply at all")


def sample(began_s: float, ended_s: float, outcome: Outcome, protocol: str = "smtp", session: str = "mail") -> Sample:
    began_ns, ended_ns = round(began_s * NS_PER_S), round(ended_s * NS_PER_S)
    return Sample(began_ns, began_ns, ended_ns, session, protocol, outcome)


def seen(*samples: Sample, crashes_s: tuple[float, ...] = (10.0,)) -> Outages:
    outages = Outages(tuple(round(each * NS_PER_S) for each in crashes_s))
    for each in samples:
        outages.ended(each, first=True)
    return outages


def of_smtp(outages: Outages, crash: int = 0) -> Outage:
    return outages.after(crash)["smtp"]


AWAY = (
    sample(9.5, 10.1, CUT), sample(10.2, 10.3, REFUSED), sample(11.0, 11.1, REFUSED),
    sample(12.0, 12.5, ACCEPTED), sample(12.2, 12.3, ACCEPTED),
)   # fmt: skip


def test_an_outage_lasts_from_the_first_refusal_to_the_end_of_the_first_session_accepted_after_the_last() -> None:
    outage = of_smtp(seen(*AWAY))
    assert (outage.refused.total(), outage.cut.total()) == (2, 1)
    assert (outage.began_ns, outage.back_ns) == (10.3 * NS_PER_S, 12.3 * NS_PER_S)
    assert outage.back_began_ns == 12.0 * NS_PER_S


def test_without_a_crash_nothing_is_of_an_outage() -> None:
    assert seen(*AWAY, crashes_s=()).after(0) == {}
    assert seen(*AWAY, crashes_s=(60.0,)).after(0) == {}


def test_who_is_cut_after_the_server_was_back_has_failed_like_any_other() -> None:
    outages = seen(*AWAY, sample(13.0, 13.5, CUT), sample(13.0, 14.0, NONSENSE))
    assert outages.first_attempts(1) == {"mail": 3}


def test_who_began_before_it_was_back_is_of_the_outage_however_late_that_shows() -> None:
    outages = seen(*AWAY, sample(11.5, 300.0, SILENT))
    assert outages.first_attempts(1) == {"mail": 4}


def test_a_refusal_later_on_says_that_it_is_away_again() -> None:
    outage = of_smtp(seen(*AWAY, sample(15.0, 15.1, REFUSED)))
    assert outage.back_ns == NEVER
    assert outage.refused.total() == 3
    outage = of_smtp(seen(*AWAY, sample(15.0, 15.1, REFUSED), sample(16.0, 16.2, ACCEPTED)))
    assert outage.back_ns == 16.2 * NS_PER_S


def test_who_is_served_between_the_first_cut_and_the_last_breath_does_not_end_it() -> None:
    """A group of processes is not killed in one instant."""
    outages = seen(
        sample(9.9, 10.01, CUT), sample(10.02, 10.03, ACCEPTED), sample(10.04, 10.05, CUT), sample(10.2, 10.3, REFUSED),
        sample(12.0, 12.1, ACCEPTED),
    )   # fmt: skip
    assert of_smtp(outages).back_ns == 12.1 * NS_PER_S


def test_where_nobody_was_refused_the_first_cut_begins_it() -> None:
    outage = of_smtp(seen(sample(9.9, 10.4, CUT), sample(9.95, 10.6, ACCEPTED), sample(10.7, 10.9, ACCEPTED)))
    assert (outage.began_ns, outage.back_ns) == (10.4 * NS_PER_S, 10.9 * NS_PER_S)


def test_what_the_run_itself_ended_and_what_the_server_refused_in_words_is_of_no_outage() -> None:
    refused = Outcome(OutcomeKind.REFUSED, "smtp.greeting", "the server answered 421")
    assert seen(sample(10.0, 11.0, INTERRUPTED), sample(10.0, 11.0, refused)).after(0) == {}


def test_each_protocol_and_each_crash_has_an_outage_of_its_own() -> None:
    outages = seen(
        *AWAY, sample(10.5, 10.6, REFUSED, "pop3", "fetch"), sample(30.1, 30.2, REFUSED), sample(33.0, 33.5, ACCEPTED),
        crashes_s=(10.0, 30.0),
    )   # fmt: skip
    assert set(outages.after(0)) == {"smtp", "pop3"}
    assert outages.after(0)["pop3"].back_ns == NEVER
    assert of_smtp(outages, 1).back_ns == 33.5 * NS_PER_S
    assert outages.first_attempts(1) == {"mail": 3, "fetch": 1}
    assert outages.first_attempts(2) == {"mail": 4, "fetch": 1}


def test_a_session_that_tried_again_is_refused_and_is_no_arrival() -> None:
    outages = seen()
    outages.ended(sample(10.2, 10.3, REFUSED), first=False)
    assert of_smtp(outages).refused.total() == 1
    assert outages.first_attempts(1).total() == 0


def test_what_several_processes_saw_is_one_outage() -> None:
    one = seen(sample(10.2, 10.3, REFUSED), sample(10.9, 11.0, ACCEPTED))
    other = seen(sample(9.0, 10.1, CUT), sample(11.2, 11.3, REFUSED), sample(12.0, 12.4, ACCEPTED))
    one.merge(pickle.loads(pickle.dumps(other)))
    outage = of_smtp(one)
    assert (outage.refused.total(), outage.cut.total(), outage.began_ns) == (2, 1, 10.3 * NS_PER_S)
    assert outage.back_ns == 12.4 * NS_PER_S, "who was accepted before the other's last refusal met a server that died"


def test_a_process_that_saw_nothing_changes_nothing() -> None:
    one = seen(*AWAY)
    one.merge(seen(sample(12.0, 12.1, ACCEPTED)))
    assert of_smtp(one) == of_smtp(seen(*AWAY))
