"""Reading back: each look serves all who asked for one before it began, and old mail is passed over."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from conformance.mailbox import Fetched, Mailbox, MailboxTrouble, MaildirReader
from conformance.message import is_notice


class Shelf:
    """A maildrop whose every reading takes a second; what stood there when it began is what it gives."""

    def __init__(self) -> None:
        self.messages: dict[bytes, bytes] = {}
        self.fetched: list[bytes] = []
        self.looks = 0
        self.locked = False

    async def keys(self) -> frozenset[bytes]:
        return frozenset(self.messages)

    async def fetch(self, known: frozenset[bytes]) -> Fetched:
        self.looks += 1
        seen = {key: message for key, message in self.messages.items() if key not in known}
        await trio.sleep(1)
        if self.locked:
            raise MailboxTrouble("locked")
        self.fetched += seen
        return Fetched(seen)


async def test_those_who_wait_share_one_look_that_began_after_they_asked(autojump_clock: MockClock) -> None:
    shelf = Shelf()
    mailbox = Mailbox(shelf)
    found: list[bytes] = []

    async def find(token: str) -> None:
        shelf.messages[token.encode()] = token.encode()
        found.extend(await mailbox.find(token, 1, 10))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(find, "first")
        await trio.sleep(0.5)
        for number in range(9):            # amid the first look, which cannot see their mail
            nursery.start_soon(find, f"later{number}")
    assert len(found) == 10
    assert shelf.looks == 2


async def test_a_look_that_was_cut_off_tells_the_others_nothing(autojump_clock: MockClock) -> None:
    shelf = Shelf()
    mailbox = Mailbox(shelf)
    found: list[tuple[bytes, ...]] = []

    async def find() -> None:
        found.append(await mailbox.find("token", 1, 0))

    async with trio.open_nursery() as nursery:
        with trio.move_on_after(1.5):
            nursery.start_soon(find)
            await trio.sleep(0.5)
            shelf.messages[b"1"] = b"token"
            await mailbox.find("token", 1, 0)
    assert found == [()]
    assert await mailbox.find("token", 1, 0) == (b"token",)


async def test_what_lay_there_before_the_run_is_not_fetched(autojump_clock: MockClock) -> None:
    shelf = Shelf()
    mailbox = Mailbox(shelf)
    shelf.messages[b"1"] = b"token of an older run"
    await mailbox.pass_over_what_is_there()
    shelf.messages[b"2"] = b"token"
    assert await mailbox.find("token", 1, 10) == (b"token",)
    assert shelf.fetched == [b"2"]


async def test_a_maildrop_that_stays_locked_is_trouble_for_all(autojump_clock: MockClock) -> None:
    shelf = Shelf()
    shelf.locked = True
    mailbox = Mailbox(shelf)
    for _ in range(2):
        with pytest.raises(MailboxTrouble, match="locked"):
            await mailbox.find("token", 1, 3)


async def test_a_maildir_is_read_in_place(tmp_path: Path) -> None:
    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    (tmp_path / "cur" / "1.old:2,S").write_bytes(b"token of an older run\n")
    mailbox = Mailbox(MaildirReader(tmp_path))
    await mailbox.pass_over_what_is_there()
    (tmp_path / "new" / "2.mine").write_bytes(b"A: token\n\nline\r\n")
    assert await mailbox.find("token", 1, 0) == (b"A: token\r\n\r\nline\r\n",)


async def test_what_a_server_writes_about_a_message_can_be_left_out(autojump_clock: MockClock) -> None:
    shelf = Shelf()
    mailbox = Mailbox(shelf)
    shelf.messages[b"1"] = b"Auto-Submitted: auto-replied\r\n\r\nof token\r\n"
    shelf.messages[b"2"] = b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\ntoken\r\n"
    shelf.messages[b"3"] = b"Auto-Submitted: no\r\nX: token\r\n\r\nmultipart/report\r\n"
    assert list(await mailbox.find_by_key("token", 1, 0, but=is_notice)) == [b"3"]
    assert len(await mailbox.find("token", 3, 0)) == 3
