"""The keywords that EHLO may list."""

import re

import pytest

from conformance.catalogue.ehlo_keywords import ehlo_keywords
from conformance.refserver.behaviour import Extension


@pytest.mark.parametrize("keyword", ["SIZE", "8BITMIME", "VRFY", "XCLIENT", "X-ANYTHING"])
def test_what_is_registered_or_private_is_known(keyword: str) -> None:
    assert ehlo_keywords().knows(keyword)


def test_what_nobody_registered_is_not_known() -> None:
    assert not ehlo_keywords().knows("TURBO")


def test_the_reference_server_lists_nothing_else() -> None:
    assert [extension for extension in Extension if not ehlo_keywords().knows(extension)] == []


def test_every_keyword_says_where_it_is_defined_and_the_copy_has_a_date() -> None:
    found = ehlo_keywords()
    assert re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", found.as_of)
    assert all(re.fullmatch(r"RFC [0-9]{3,4}|the registry", source) for source in found.keywords.values())
    assert all(re.fullmatch(r"[A-Z0-9][A-Z0-9-]*", keyword) for keyword in found.keywords)
