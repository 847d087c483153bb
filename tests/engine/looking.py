"""Looks at targets that only pretend."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
import trio

from loadgen.endpoint import Protocol
from loadgen.engine.preflight import NO_LIMITS, look_at
from loadgen.scenario.accounts import Account
from loadgen.scenario.model import Limits
from loadgen.session.route import Route
from reports.errors import UserError
from tests.engine.house import Serve

USER = Account("user1@example.test", "user1@example.test", "secret1")
WRONG = replace(USER, password="guess")
LOGIN: dict[Protocol, str] = {"smtp": "plain", "lmtp": "plain", "pop3": "user"}
PROTOCOLS: list[Protocol] = ["smtp", "lmtp", "pop3"]


def answering(greeting: bytes, answers: Mapping[bytes, bytes]) -> Serve:
    """Return a server that greets, and answers each command by its first word; b"" hangs up, no word: silence."""

    async def serve(stream: trio.abc.Stream) -> None:
        async with stream:
            if greeting:
                await stream.send_all(greeting)
            while line := await stream.receive_some():
                answer = answers.get(bytes(line.split()[0]).upper())
                if answer is None:
                    await trio.sleep_forever()
                elif answer == b"":
                    return
                else:
                    await stream.send_all(answer)

    return serve


async def complaint_about(
    route: Route, *, auth: str = "none", accounts: Sequence[Account] = (USER,), limits: Limits = NO_LIMITS,
    note: Callable[[str], None] = lambda _: None,
) -> UserError:   # fmt: skip
    """Look by one route, and return the complaint there must be."""
    routes, logins = {route.endpoint.protocol: route}, {route.endpoint.protocol: (auth,)}
    with pytest.raises(UserError) as raised:
        await look_at(routes, logins, accounts, limits=limits, stop=trio.Event(), note=note)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(str(route.endpoint))
    return raised.value
