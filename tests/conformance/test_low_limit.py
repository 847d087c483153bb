"""How large a message may be for a larger one to be worth sending."""

from dataclasses import replace

import msgspec
import pytest

from conformance.declared import NOTHING_DECLARED
from conformance.subject import Found, Subject
from loadgen.endpoint import parse_endpoint
from loadgen.wire.extensions import parse_extensions


@pytest.mark.parametrize(
    ("offered", "declared", "limit"),
    [
        (b"SIZE 100000", None, 100_000),
        (b"SIZE 33554432", None, None),
        (b"SIZE 33554432", 70_000, 70_000),
        (b"SIZE 0", None, None),
        (b"SIZE", None, None),
        (b"HELP", None, None),
        (None, 70_000, 70_000),
    ],
)
def test_a_limit_is_low_if_it_is_declared_or_offered_and_soon_passed(
    offered: bytes | None, declared: int | None, limit: int | None
) -> None:
    claims = msgspec.structs.replace(NOTHING_DECLARED.claims, message_octets_max=declared)
    subject = Subject(
        parse_endpoint("smtp://127.0.0.1:2525"), msgspec.structs.replace(NOTHING_DECLARED, claims=claims), "c0ffee"
    )
    extensions = None if offered is None else parse_extensions((b"mail.example.test", offered))
    subject.found = replace(Found(), extensions=extensions)
    assert subject.low_limit == limit
