"""Profiles: which requirements concern which kind of server."""

from fnmatch import fnmatchcase

import pytest

from conformance.catalogue.load import catalogue, sections
from conformance.catalogue.profile import families, profile, profiles
from conformance.catalogue.requirement import Level
from reports.errors import UserError


def test_the_profiles_are_those_that_are_promised() -> None:
    assert set(profiles()) == {"smtp-mx", "submission", "lmtp", "pop3", "hardened", "rfc1090"}


def test_every_family_of_the_catalogue_has_its_words_and_no_other_has() -> None:
    assert set(families()) == {requirement.family for requirement in catalogue().values()}


@pytest.mark.parametrize("name", list(profiles()))
def test_a_profile_names_nothing_that_is_not_there(name: str) -> None:
    found = profile(name)
    assert set(found.families) <= set(families())
    assert set(found.sections) <= {section.number for section in sections()}
    assert set(found.also) <= set(catalogue())
    for glob in found.without:
        assert any(fnmatchcase(id_, glob) for id_ in catalogue()), glob


def test_every_requirement_concerns_somebody() -> None:
    assert set(catalogue()) == frozenset[str]().union(*(found.ids() for found in profiles().values()))


@pytest.mark.parametrize(
    ("name", "concerns", "does_not_concern"),
    [
        ("smtp-mx", ["relay.plain", "smtp.postmaster.bare"], ["submit.fqdn", "lmtp.lhlo.ok", "pop3.stat.format"]),
        ("submission", ["submit.fqdn", "smtp.auth.cancel"], ["relay.plain", "smtp.postmaster.bare"]),
        ("lmtp", ["lmtp.lhlo.ok", "smtp.rset.replies-250"], ["smtp.helo.supported", "relay.plain", "bounce.sent"]),
        ("pop3", ["pop3.stat.format", "x.body.identity"], ["smtp.rset.replies-250"]),
        ("rfc1090", ["smtp.x25.lf-lines", "smtp.rset.replies-250"], ["smtp.cmd.bare-lf", "smtp.quit.closes"]),
        ("hardened", ["hard.endless-line", "relay.plain", "smtp.tls.inject-command"], ["smtp.rset.replies-250"]),
    ],
)
def test_a_profile_concerns_what_its_kind_of_server_does(
    name: str, concerns: list[str], does_not_concern: list[str]
) -> None:
    ids = profile(name).ids()
    assert ids.issuperset(concerns)
    assert ids.isdisjoint(does_not_concern)


def test_hardened_asks_of_the_families_only_what_no_rfc_demands() -> None:
    for section in sections():
        if section.number not in profile("hardened").sections:
            chosen = [row for row in section.requirement if row.id in profile("hardened").ids()]
            assert {row.level for row in chosen} <= {Level.HARD}


def test_asking_for_a_profile_that_is_not_there_says_which_there_are() -> None:
    with pytest.raises(UserError, match="there is no profile imap; there is smtp-mx, submission"):
        profile("imap")
