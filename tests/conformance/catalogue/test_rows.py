"""The rows against the list they were written from: nothing lost, nothing invented, every correction accounted for."""

import re
from collections import Counter

from conformance.catalogue.load import catalogue, sections
from conformance.catalogue.need import NEEDS, Need, words_for
from conformance.catalogue.requirement import Level, Requirement

REQUIREMENTS = list(catalogue().values())
CAME_LATER = {"hard.program-alias"}        # … and all of RFC 1090
FROM_THE_LIST = [row for row in REQUIREMENTS if Need.X25 not in row.needs and row.id not in CAME_LATER]
WAS = re.compile(r"was (MUST NOT|MUST\*|MUST|SHOULD|MAY|HARD): ")
SOURCE = re.compile(
    r"RFC \d{3,4}( §\d+(\.\d+)*(\([a-z0-9]+\))*| appendix [A-F](\.\d)?)?|operational practice|draft-[a-z-]+ §\d"
)


def first_level(requirement: Requirement) -> str:
    """The level in the list first written, of which every correction tells."""
    was = WAS.match(requirement.corrected)
    return was[1] if was else requirement.level.value


def test_the_levels_are_those_of_the_list_except_where_corrected() -> None:
    assert Counter(map(first_level, FROM_THE_LIST)) == {
        "MUST": 254, "MUST NOT": 68, "MUST*": 446, "SHOULD": 122, "MAY": 79, "HARD": 132,
    }


def test_the_families_are_those_of_the_list() -> None:
    assert Counter(requirement.family for requirement in FROM_THE_LIST) == {
        "smtp": 597, "pop3": 218, "x": 58, "smuggle": 42, "lmtp": 40, "sasl": 31, "relay": 30, "hard": 30,
        "trace": 24, "submit": 20, "bounce": 7, "core": 4,
    }


def test_the_needs_are_those_of_the_list() -> None:
    needs = [set(requirement.needs) for requirement in FROM_THE_LIST]
    alone = sum(all(need == "r" or need.startswith("ext:") for need in some) for some in needs)
    assert alone == 430 + 4 + 25   # of SIZE and of relay control, corrected
    read_back = sum(bool(some & {"k", "p", "p2"}) for some in needs)
    assert read_back == 404 - 27 - 15   # of relay control, and of what a sink sees, corrected
    assert sum("slow" in some for some in needs) == 21
    assert sum(requirement.passive for requirement in REQUIREMENTS) == 51


def problems_of(requirement: Requirement) -> list[str]:
    """What a row leaves out, or says that its level does not allow."""
    level, may = requirement.level, requirement.level is Level.MAY
    rules = {
        "a MAY says what is observed, and nothing else does": bool(requirement.observed) == may,
        "what passes is said, except of a MAY": bool(requirement.passes) != may,
        "what may be called a failure is said, not left open": bool(requirement.fails) or not level.binding,
        "the sources are written alike": all(map(SOURCE.fullmatch, requirement.sources)),
        "a need is named once": len(set(requirement.needs)) == len(requirement.needs),
        "a divergence has a class": bool(requirement.divergence) or not requirement.divergence_when,
        "only what binds can be diverged from": level.binding or not requirement.divergence,
        "red by policy is what would be weak otherwise, or a MAY that says what of it is red":
            level is Level.HARD or (may and requirement.observed.endswith("red")) or not requirement.red_by_policy,
        "practice binds nobody": level in {Level.HARD, Level.MAY}
        or requirement.sources != ("operational practice",),
    }
    return [rule for rule, kept in rules.items() if not kept]


def test_every_row_says_what_it_needs_to_say() -> None:
    assert {row.id: problems for row in REQUIREMENTS if (problems := problems_of(row))} == {}


def test_a_corrected_level_is_another_level() -> None:
    changed = [requirement for requirement in REQUIREMENTS if WAS.match(requirement.corrected)]
    assert changed
    assert [requirement.id for requirement in changed if first_level(requirement) == requirement.level] == []


def test_every_correction_names_the_section_it_follows() -> None:
    corrected = [requirement for requirement in REQUIREMENTS if requirement.corrected]
    assert [requirement.id for requirement in corrected if "RFC " not in requirement.corrected] == []


def test_the_sections_come_in_their_order_and_each_once() -> None:
    numbers = [section.number for section in sections()]
    assert numbers[:3] == ["1", "2", "3"]
    assert numbers[-3:] == ["32.5", "32.6", "33"]
    assert len(set(numbers)) == len(numbers) == 38


def test_every_need_has_words_for_people_and_the_option_that_gives_it() -> None:
    assert set(NEEDS) == set(Need)
    for need in {need for requirement in REQUIREMENTS for need in requirement.needs}:
        words = words_for(need)
        assert words.sentence
        assert words.given_by


def test_a_red_hardening_row_is_about_mail_or_secrets_that_cross_users() -> None:
    assert {one.id for one in REQUIREMENTS if one.red_by_policy and one.level is Level.HARD} == {
        "core.cross-session", "pop3.stls.inject", "pop3.stls.inject-partial", "x.delivery.user-isolation",
    }


def test_what_is_red_of_a_may_is_mail_that_is_spoilt_or_doubled() -> None:
    assert {one.id for one in REQUIREMENTS if one.red_by_policy and one.level is Level.MAY} == {
        "x.body.long-line", "x.delivery.unknown-outcome",
    }
