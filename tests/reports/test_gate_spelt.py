"""Gates as the command line spells them."""

import pytest

from reports.errors import UserError
from reports.gate import Gate
from reports.gate_spelt import gates_spelt
from reports.named_metric import Named


@pytest.mark.parametrize(
    ("text", "gate"),
    [
        ("p99(smtp.body.response)<500ms", Gate(metric="smtp.body.response", percentile=99, below="500ms")),
        ("p99.9(pop3.retr.service) <= 1.5 s", Gate(metric="pop3.retr.service", percentile=99.9, at_most="1.5 s")),
        ("max(smtp.session.response)<2s", Gate(metric="smtp.session.response", percentile=100, below="2s")),
        ("errors.share<1%", Gate(metric="errors.share", below="1%")),
        ("ledger.lost=0", Gate(metric="ledger.lost", equals=0)),
        (" ledger.lost == 0 ", Gate(metric="ledger.lost", equals=0)),
        ("messages.accepted.per_s>=100", Gate(metric="messages.accepted.per_s", at_least=100)),
        ("sessions.accepted.share>0.99", Gate(metric="sessions.accepted.share", above=0.99)),
    ],
)
def test_a_gate_is_spelt_as_people_say_it(text: str, gate: Gate) -> None:
    assert gates_spelt(text) == (gate,)


def test_the_response_time_alone_is_of_the_whole_sessions_of_each_protocol() -> None:
    [smtp, pop3] = gates_spelt("p95(response)<2s", protocols=("smtp", "pop3"))
    assert (smtp.metric, pop3.metric) == ("smtp.session.response", "pop3.session.response")
    assert smtp.percentile == pop3.percentile == 95


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("fast", 'cannot read the gate "fast": a gate looks like'),
        ("p99(response)<", "cannot read the gate"),
        ("p99 response < 2s", "cannot read the gate"),
        ("p99(smtp.bdy.response)<2s", "did you mean smtp.body.response"),
        ("smtp.body.response<2s", "say which percentile"),
        ("p99(errors.share)<1%", "is one number and takes no percentile"),
        ("p99(smtp.body.response)<2", "a time needs a unit"),
        ("errors.share<many", "a number is needed here"),
        ("p99(session.nobody.response)<1s", "unknown metric"),
    ],
)
def test_what_is_no_gate_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence.replace("(", r"\(")) as caught:
        gates_spelt(text, Named(sessions=frozenset({"alice"})))
    assert "\n" not in str(caught.value)
