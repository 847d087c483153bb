"""How a subject is reached, and where its mail is read back."""

from pathlib import Path
from typing import Final

import trio

from conformance.declared import Claims, Declared
from conformance.mailbox import Mailbox, MaildirReader
from conformance.subject import Found, Subject, over_the_network
from loadgen.endpoint import Endpoint

ENDPOINT: Final = Endpoint("smtp", "127.0.0.1", 25, None, implicit_tls=False)
NOBODY: Final = MaildirReader(Path("nowhere"))


async def test_where_tls_is_implicit_the_connection_is_made_without_it() -> None:
    async def speak(stream: trio.SocketStream) -> None:
        await stream.send_all(b"hello")

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, speak, [listener])
        endpoint = Endpoint("smtp", "127.0.0.1", port, None, implicit_tls=True)
        async with await over_the_network(endpoint, trio.current_time() + 5) as transport:
            assert transport.tls is None
            assert await transport.receive(trio.current_time() + 5) == b"hello"
        nursery.cancel_scope.cancel()


def test_mail_is_read_back_for_the_address_that_it_is_sent_to() -> None:
    first, second = Mailbox(NOBODY), Mailbox(NOBODY)
    subject = Subject(ENDPOINT, Declared(), "token", mailboxes={"a@example.test": first, "b@example.test": second})
    subject.found = Found(recipients=("b@example.test", "a@example.test"))
    assert subject.mailbox is second
    subject.found = Found(recipients=("c@example.test",))
    assert subject.mailbox is None


def test_postmasters_mail_is_read_back_only_if_somebody_says_who_reads_it() -> None:
    mailbox = Mailbox(NOBODY)
    found = Found(recipients=("postmaster",))
    assert Subject(ENDPOINT, Declared(), "token", found, mailboxes={"": mailbox}).mailbox is None
    declared = Declared(claims=Claims(postmaster_is_read=True))
    assert Subject(ENDPOINT, declared, "token", found, mailboxes={"": mailbox}).mailbox is mailbox
