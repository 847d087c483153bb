"""The default limits are the RFC's."""

import pytest

from loadgen.transport.limits import PhaseLimits


@pytest.mark.parametrize(
    ("phase", "minutes"),
    [("greeting", 5), ("mail", 5), ("rcpt", 5), ("data", 2), ("block", 3), ("body", 10)],
)
def test_the_defaults_are_those_of_rfc_5321_4_5_3_2(phase: str, minutes: int) -> None:
    assert PhaseLimits().for_phase(phase) == minutes * 60


@pytest.mark.parametrize(
    ("phase", "limit"),
    [
        ("smtp.mail", 1), ("lmtp.mail", 1), ("mail", 1), ("smtp.auth", 2),
        ("pop3.auth", 3), ("pop3.retr", 3), ("pop3.quit", 4),
    ],
)
def test_a_phase_is_found_by_its_short_and_its_full_name(phase: str, limit: int) -> None:
    assert PhaseLimits(mail=1, auth=2, pop3=3, quit=4).for_phase(phase) == limit


def test_an_unknown_phase_is_our_bug() -> None:
    with pytest.raises(KeyError):
        PhaseLimits().for_phase("smtp.pop3")
