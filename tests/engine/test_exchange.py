"""From a mail domain to the exchange that is loaded, over loopback: which one, and when none may be or can be."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio

from conformance.refserver.directory import Directory, accounts_by_pattern
from conformance.refserver.listener.conversation import StartTls
from conformance.refserver.listener.sockets import Bind, listening_on
from conformance.refserver.listener.tls import self_made_context, start_tls_with
from conformance.refserver.server import serve
from loadgen.endpoint import MailDomain
from loadgen.engine.exchange import find_exchange
from loadgen.engine.run import RunResult, run
from loadgen.scenario.accounts import open_accounts
from loadgen.scenario.model import Target
from reports.errors import PreconditionFailed, UserError
from reports.verdict import Verdict
from tests.engine.house import scenario_of
from tests.refserver.bench import make_bench
from tests.routing.nameserver import Zone, nameserver, zone

LOAD = '[load]\nmodel = "closed"\nvirtual_users = 2\nsessions = 6\n[[session]]\nkind = "smtp-deliver"\n'
ZONE: Zone = {
    "example.test MX": ["10 mx1.example.test.", "20 mx2.example.test."],
    "mx1.example.test A": ["127.0.0.1"],
    "mx2.example.test A": ["127.0.0.2"],
}


@contextmanager
def listening(*addresses: str) -> Iterator[int]:
    """Listen on one port of these addresses: the kernel takes the connections."""
    with socket.socket() as chosen:
        chosen.bind((addresses[0], 0))
        chosen.listen()
        port: int = chosen.getsockname()[1]
        others = [socket.create_server((address, port)) for address in addresses[1:]]
        yield port
        for other in others:
            other.close()


async def found(records: Zone, port: int, *permitted: str) -> tuple[str, list[str]]:
    """Return the URL and addresses that `mx:example.test` leads to."""
    complaint: UserError | None = None
    async with nameserver(zone(records)) as ours:
        target = Target(nameservers=(f"{ours.address}:{ours.port}",), permitted_hosts=permitted)
        try:
            endpoint, addresses = await find_exchange(MailDomain("example.test", port), target, 1, authorized=False)
        except UserError as error:      # not through the nameserver's nursery: it would come out as a group
            complaint = error
    if complaint is not None:
        raise complaint
    return str(endpoint), [address.text for address in addresses]


async def test_the_exchange_of_the_lowest_preference_is_taken() -> None:
    with listening("127.0.0.1", "127.0.0.2") as port:
        assert await found(ZONE, port, "example.test") == (f"smtp://mx1.example.test:{port}", [f"127.0.0.1:{port}"])


async def test_an_exchange_that_refuses_the_connection_is_passed_over() -> None:
    with listening("127.0.0.2") as port:
        assert await found(ZONE, port, "example.test") == (f"smtp://mx2.example.test:{port}", [f"127.0.0.2:{port}"])


async def test_an_address_that_refuses_the_connection_is_passed_over() -> None:
    hosts = {"mx.test A": ["127.0.0.3"], "mx.test AAAA": ["::ffff:127.0.0.2"]}
    with listening("127.0.0.2") as port:
        url, addresses = await found({"example.test MX": ["1 mx.test."], **hosts}, port, "example.test")
    assert (url, addresses) == (f"smtp://mx.test:{port}", [f"[::ffff:127.0.0.2]:{port}"])


async def test_an_exchange_without_an_address_is_passed_over() -> None:
    with listening("127.0.0.2") as port:
        url, _ = await found({**ZONE, "mx1.example.test A": "SERVFAIL"}, port, "example.test")
    assert url == f"smtp://mx2.example.test:{port}"


async def test_no_exchange_there_is_a_sentence_that_names_them_all() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.9", 0))            # bound, and not listening: connecting is refused
        port = nobody.getsockname()[1]
        said = rf"^mx:example\.test:{port}: no exchange could be reached; mx1\.example\.test: .*; mx2\.example\.test: "
        with pytest.raises(PreconditionFailed, match=said):
            await found(ZONE, port, "example.test")


async def test_an_exchange_that_is_not_permitted_ends_the_search() -> None:
    with listening("127.0.0.1", "127.0.0.2") as port:
        with pytest.raises(UserError, match=r"mx1\.example\.test is beyond loopback and not permitted"):
            await found(ZONE, port, "mx2.example.test")
        assert (await found(ZONE, port, "mx1.example.test"))[0] == f"smtp://mx1.example.test:{port}"


async def test_an_exchange_that_leads_to_a_public_address_is_refused_before_any_connection() -> None:
    with pytest.raises(UserError, match=r"mx1\.example\.test is public; give --authorized"):
        await found({**ZONE, "mx1.example.test A": ["127.0.0.1", "8.8.8.8"]}, 25, "example.test")


async def test_a_null_mx_is_refused() -> None:
    with pytest.raises(UserError, match="takes no mail"):
        await found({"example.test MX": ["0 ."]}, 25, "example.test")


@asynccontextmanager
async def mail_server(start_tls: StartTls | None) -> AsyncIterator[int]:
    """Run the reference server; give its SMTP port."""
    stop = trio.Event()
    with listening_on([Bind("smtp", 0)], "127.0.0.1") as sockets:
        async with trio.open_nursery() as nursery:
            known = Directory(["example.test"], accounts_by_pattern("user{n}@example.test", 10, "secret{n}"))
            service = make_bench(tls_available=start_tls is not None, directory=known).service
            nursery.start_soon(lambda: serve(service, sockets, start_tls, stop=stop))
            yield int(sockets[0].url.rpartition(":")[2])
            stop.set()


async def run_through_mx(target: str, start_tls: StartTls | None) -> RunResult:
    async with mail_server(start_tls) as port, nameserver(zone(ZONE)) as ours:
        head = (
            f'[target]\nsmtp = "mx:example.test:{port}"\npermitted_hosts = ["example.test"]\n'
            f'nameservers = ["{ours.address}:{ours.port}"]\n{target}'
        )
        scenario = scenario_of(LOAD, head=head)
        return await run(
            scenario, open_accounts(scenario.accounts, environ={}), run_id="mx", version="0.0",
            observe=lambda _progress: None, stop=trio.Event(),
        )  # fmt: skip


async def test_a_run_goes_to_the_exchange_and_says_so() -> None:
    result = await run_through_mx("", None)
    load = result.document.load
    assert load is not None
    assert (load.sessions.arrived, load.sessions.accepted) == (6, 6)
    [seen] = result.document.target
    assert seen.url.startswith("smtp://mx1.example.test:")
    assert seen.mail_domain == "example.test"
    target = result.document.scenario["target"]
    assert isinstance(target, dict)
    assert str(target["smtp"]).startswith("mx:example.test:")


async def test_the_certificate_must_be_the_exchange_s(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    start_tls = start_tls_with(self_made_context(["mx1.example.test"], ca_file))
    result = await run_through_mx(f'tls = "starttls"\nca_file = "{ca_file}"', start_tls)
    [seen] = result.document.target
    assert seen.tls is not None
    assert seen.tls.verified
    assert result.document.verdicts.correct is not Verdict.FAIL
