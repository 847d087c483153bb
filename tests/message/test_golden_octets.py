"""The octets of a seed are those they always were: what a page of the ledger tells of can be made again years later."""

from datetime import UTC, datetime
from hashlib import blake2b

import pytest

from loadgen.message.compose import Composer
from loadgen.scenario.content import Body, Multipart, Plain

ONE, SEVERAL = ("user1@example.test",), ("a@example.test", "b@example.test", "c@example.test")
# body          size in octets, arrival, recipients, hidden      BLAKE2b of the mail data, with a digest and without
GOLDEN: list[tuple[Body, int, int, tuple[str, ...], int, str, str]] = [
    (Plain("text"), 1024, 3, ONE, 0, "3def2310ab5959e2", "b1cfe7820a6387ac"),
    (Plain("text"), 0, 2047, ONE, 0, "bdece2432f588353", "5be2c6f2c607b1a1"),
    (Plain("text"), 400_000, 66, SEVERAL, 1, "e47c698f8944755d", "8aa1d2cec540e03d"),
    (Plain("8bit"), 5000, 70_000, ONE, 0, "32b22f37e7ae28c6", "5141f179c2a8bfa5"),
    (Plain("smtputf8"), 5000, 5, ("jörg@bücher.example",), 0, "645e3cb6b2183a54", "fe9becc1c2804e26"),
    (Multipart((57, 0, 200_000)), 20_000, 9, ONE, 0, "f8aa94bac65daac9", "ce248449b27fc1cc"),
]


@pytest.mark.parametrize(("body", "size_octets", "arrival", "recipients", "hidden", "with_digest", "without"), GOLDEN)
def test_the_mail_data_is_what_it_always_was(
    body: Body, size_octets: int, arrival: int, recipients: tuple[str, ...], hidden: int, with_digest: str, without: str
) -> None:
    made = []
    for digests in (True, False):
        composer = Composer(seed=7, run_token="c0ffee00", date=datetime(2026, 1, 1, tzinfo=UTC), digests=digests)
        message = composer.compose(
            arrival, 2, reverse_path="load@example.test", recipients=recipients, size_octets=size_octets,
            hidden=hidden, body=body,
        )  # fmt: skip
        made.append(blake2b(message.mail_data, digest_size=8).hexdigest())
    assert made == [with_digest, without]
