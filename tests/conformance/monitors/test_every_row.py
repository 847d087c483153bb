"""The monitors against the catalogue: every passive row has one, and nothing else has."""

from collections import Counter

from conformance.catalogue.load import catalogue
from conformance.monitors import sessions, watch, watch_pop3

MONITORED = Counter([
    *(monitor.requirement for monitor in watch.MONITORS),
    *(monitor.requirement for monitor in watch_pop3.MONITORS),
    *sessions.REQUIREMENTS,
])


def test_every_passive_row_has_one_monitor_and_no_other_row_has() -> None:
    passive = {requirement.id for requirement in catalogue().values() if requirement.passive}
    assert set(MONITORED) == passive
    assert set(MONITORED.values()) == {1}
