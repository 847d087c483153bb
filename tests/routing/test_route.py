"""Where a domain's mail goes, and the one sentence where it goes nowhere. Every nameserver is our own."""

from random import Random

import dns.flags
import dns.message
import dns.resolver
import pytest
from trio.testing import MockClock

from loadgen.routing.lookup import ASK_LIMIT_S, CHAIN_MAX, Resolver
from loadgen.routing.route import ADDRESSES_MAX, EXCHANGES_MAX, Exchange, MailRoute, RouteDeviation, mail_route
from reports.errors import PreconditionFailed, UserError
from reports.exit_codes import ExitCode
from tests.routing.nameserver import Handler, Reply, Zone, nameserver, zone

MX1 = {"mx1.example.test A": ["127.0.0.1"], "mx1.example.test AAAA": ["::1"]}
MX2 = {"mx2.example.test A": ["127.0.0.2"]}


async def route_by(handler: Handler, domain: str = "example.test", seed: int = 1) -> MailRoute:
    async with nameserver(handler) as ours:
        try:
            return await mail_route(domain, Resolver([ours]), Random(seed))
        except UserError as error:     # not through the nameserver's nursery: it would come out as a group
            complaint = error
    raise complaint


async def test_the_exchanges_are_sorted_by_preference_and_have_their_addresses() -> None:
    records: Zone = {"example.test MX": ["20 mx2.example.test.", "5 MX1.example.test."], **MX1, **MX2}
    assert await route_by(zone(records)) == MailRoute(
        "example.test",
        cnames=(),
        exchanges=(
            Exchange("mx1.example.test", 5, ("127.0.0.1", "::1")),
            Exchange("mx2.example.test", 20, ("127.0.0.2",)),
        ),
        implicit=False,
    )


async def test_every_address_of_an_exchange_is_kept_up_to_a_limit() -> None:
    records = {"example.test MX": ["1 mx.test."], "mx.test A": [f"127.0.0.{n}" for n in range(1, 20)]}
    [exchange] = (await route_by(zone(records))).exchanges
    assert len(set(exchange.addresses) & set(records["mx.test A"])) == len(exchange.addresses) == ADDRESSES_MAX


async def test_equal_preferences_come_in_an_order_that_only_the_seed_decides() -> None:
    names = [f"mx{n}.example.test" for n in range(1, 7)]
    hosts = {f"{name} A": ["127.0.0.1"] for name in names}
    orders = []
    for listed in (names, names[::-1]):
        handler = zone({"example.test MX": [f"10 {name}." for name in listed], **hosts})
        orders.append([[e.name for e in (await route_by(handler, seed=seed)).exchanges] for seed in range(8)])
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders[0]}) > 4
    assert all(sorted(order) == names for order in orders[0])


async def test_the_lot_never_moves_an_exchange_past_another_preference() -> None:
    records = {"example.test MX": [f"{n // 3} mx{n}.example.test." for n in range(9)]}
    hosts = {f"mx{n}.example.test A": ["127.0.0.1"] for n in range(9)}
    for seed in range(8):
        route = await route_by(zone({**records, **hosts}), seed=seed)
        assert [exchange.preference for exchange in route.exchanges] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("recursive", [True, False])
async def test_the_aliases_of_the_domain_are_followed(recursive: bool) -> None:
    records: Zone = {
        "example.test CNAME": ["b.test."], "b.test CNAME": ["c.test."], "c.test MX": ["1 mx1.example.test."], **MX1,
    }  # fmt: skip
    route = await route_by(zone(records, recursive=recursive))
    assert route.cnames == ("b.test", "c.test")
    assert [exchange.name for exchange in route.exchanges] == ["mx1.example.test"]


@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize(
    "aliases",
    [
        {"example.test CNAME": ["example.test."]},
        {"example.test CNAME": ["b.test."], "b.test CNAME": ["c.test."], "c.test CNAME": ["b.test."]},
        {"example.test CNAME": ["a0.test."], **{f"a{n}.test CNAME": [f"a{n + 1}.test."] for n in range(CHAIN_MAX)},
         f"a{CHAIN_MAX}.test MX": ["1 mx1.example.test."]},
    ],
    ids=["itself", "circle", "too long"],
)  # fmt: skip
async def test_an_endless_chain_of_aliases_is_the_operators_to_mend(recursive: bool, aliases: Zone) -> None:
    sentence = "^the aliases of example.test lead round in a circle, or through more than 16 names$"
    with pytest.raises(UserError, match=sentence) as raised:
        await route_by(zone(aliases, recursive=recursive))
    assert raised.value.exit_code is ExitCode.OPERATOR_ERROR


async def test_a_circle_of_aliases_is_found_without_walking_it_twice() -> None:
    asked: list[str] = []
    circle = zone({"example.test CNAME": ["b.test."], "b.test CNAME": ["example.test."]}, recursive=False)

    def noting(query: dns.message.Message, tcp: bool) -> Reply:
        asked.append(query.question[0].name.to_text())
        return circle(query, tcp)

    with pytest.raises(UserError, match=r"^the aliases of example\.test lead round in a circle"):
        await route_by(noting)
    assert asked == ["example.test.", "b.test."]


async def test_without_mx_the_domain_is_its_own_exchange() -> None:
    route = await route_by(zone({"example.test A": ["127.0.0.1"], "example.test AAAA": ["::1"]}))
    assert route.implicit
    assert route.exchanges == (Exchange("example.test", 0, ("127.0.0.1", "::1")),)


async def test_without_mx_the_name_an_alias_leads_to_is_the_exchange() -> None:
    route = await route_by(zone({"example.test CNAME": ["host.test."], "host.test A": ["127.0.0.1"]}))
    assert (route.implicit, route.cnames) == (True, ("host.test",))
    assert route.exchanges == (Exchange("host.test", 0, ("127.0.0.1",)),)


REFUSED: list[tuple[Zone, str]] = [
    ({"other.test A": ["127.0.0.1"]}, "^the domain example.test does not exist$"),
    ({"example.test CNAME": ["gone.test."]}, "^the domain gone.test, where example.test leads, does not exist$"),
    ({"example.test MX": ["0 ."], "example.test A": ["127.0.0.1"]},
     r"^example.test takes no mail: its only MX is the null MX \(RFC 7505\)$"),
    ({"example.test TXT": ["x"]}, "^example.test takes no mail: it has neither MX nor address records$"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "sentence"), REFUSED)
async def test_a_domain_that_takes_no_mail_is_the_operators_mistake(records: Zone, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as raised:
        await route_by(zone(records))
    assert raised.value.exit_code is ExitCode.OPERATOR_ERROR


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP"])
@pytest.mark.parametrize("records", [{"example.test MX": "?"}, {"example.test A": "?", "example.test AAAA": "?"}])
async def test_a_nameserver_that_cannot_say_leaves_the_question_open(rcode: str, records: Zone) -> None:
    handler = zone(dict.fromkeys(records, rcode))
    sentence = rf"^no nameserver could say which (MX|A) .*\(got {rcode}\)$"
    with pytest.raises(PreconditionFailed, match=sentence) as raised:
        await route_by(handler)
    assert raised.value.exit_code is ExitCode.INCONCLUSIVE


async def test_a_silent_nameserver_is_given_up(autojump_clock: MockClock) -> None:
    sentence = f"^no nameserver said within {ASK_LIMIT_S:g} s which MX records example.test has$"
    with pytest.raises(PreconditionFailed, match=sentence):
        await route_by(lambda _query, _tcp: None)


async def test_octets_that_are_no_dns_are_waited_out_and_given_up(autojump_clock: MockClock) -> None:
    with pytest.raises(PreconditionFailed, match=r"^no nameserver said within .* which MX"):
        await route_by(lambda _query, _tcp: b"\xff\x00 not DNS")


def truncating(then: Handler) -> Handler:
    """Answer over UDP that the answer does not fit, and over TCP as `then` does."""

    def handle(query: dns.message.Message, tcp: bool) -> Reply:
        if tcp:
            return then(query, tcp)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.TC
        return reply

    return handle


async def test_a_truncated_answer_is_asked_for_again_over_tcp() -> None:
    names = [f"mx{n:02}.some-rather-long-host-name.example.test" for n in range(EXCHANGES_MAX)]
    records = {"example.test MX": [f"{n} {name}." for n, name in enumerate(names)]}
    route = await route_by(truncating(zone({**records, **{f"{name} A": ["127.0.0.1"] for name in names}})))
    assert [exchange.name for exchange in route.exchanges] == names
    assert {exchange.addresses for exchange in route.exchanges} == {("127.0.0.1",)}


@pytest.mark.parametrize("octets", [b"\xff", b""])
async def test_a_truncated_answer_whose_tcp_side_is_broken_leaves_the_question_open(octets: bytes) -> None:
    with pytest.raises(PreconditionFailed, match=r"^no nameserver could say .*\(got an unusable answer, .*\)$"):
        await route_by(truncating(lambda _query, _tcp: octets))


async def test_the_second_nameserver_answers_where_the_first_refuses() -> None:
    records: Zone = {"example.test MX": ["1 mx1.example.test."], **MX1}
    async with nameserver(zone({"example.test MX": "REFUSED"})) as bad, nameserver(zone(records)) as good:
        route = await mail_route("example.test", Resolver([bad, good]), Random(1))
    assert [exchange.name for exchange in route.exchanges] == ["mx1.example.test"]


async def test_an_exchange_that_is_an_alias_is_noted_and_followed() -> None:
    records: Zone = {"example.test MX": ["1 mx.example.test."], "mx.example.test CNAME": ["mx1.example.test."], **MX1}
    [exchange] = (await route_by(zone(records))).exchanges
    assert exchange == Exchange("mx.example.test", 1, ("127.0.0.1", "::1"), (RouteDeviation.ALIAS,))


async def test_an_exchange_that_is_an_address_is_noted_and_followed() -> None:
    [exchange] = (await route_by(zone({"example.test MX": ["1 192.0.2.7."]}))).exchanges
    assert exchange == Exchange("192.0.2.7", 1, ("192.0.2.7",), (RouteDeviation.ADDRESS,))


async def test_a_null_mx_among_others_is_noted_and_leads_nowhere() -> None:
    route = await route_by(zone({"example.test MX": ["0 .", "10 mx1.example.test."], **MX1}))
    assert [exchange.deviations for exchange in route.exchanges] == [(RouteDeviation.ROOT_AMONG_OTHERS,), ()]
    assert [exchange.name for exchange in route.reachable()] == ["mx1.example.test"]


async def test_an_exchange_whose_name_no_host_can_have_is_not_asked_for() -> None:
    [exchange] = (await route_by(zone({"example.test MX": [r"1 evil\032\027[2Jhost.test."]}))).exchanges
    assert exchange.name.isprintable()
    assert exchange.trouble is not None
    assert exchange.trouble.sentence.endswith("is no host name")


TROUBLES: list[tuple[Zone, type[UserError], str]] = [
    # what the nameserver knows of mx1 besides              error               sentence
    ({},                                                    UserError,          "mx1.example.test does not exist"),
    ({"mx1.example.test TXT": ["x"]},                       UserError,          "mx1.example.test has no address"),
    ({"mx1.example.test CNAME": ["mx1.example.test."]},     UserError,          "lead round in a circle"),
    ({"mx1.example.test AAAA": "SERVFAIL"},                 PreconditionFailed, "no nameserver could say which AAAA"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "error", "sentence"), TROUBLES)
async def test_a_route_without_any_address_says_why(records: Zone, error: type[UserError], sentence: str) -> None:
    route = await route_by(zone({"example.test MX": ["1 mx1.example.test."], **records}))
    [exchange] = route.exchanges
    assert exchange.addresses == ()
    with pytest.raises(UserError, match=f"^no exchange of example.test has an address: .*{sentence}") as raised:
        route.reachable()
    assert type(raised.value) is error


async def test_an_address_of_one_family_is_enough_though_the_other_is_unknown() -> None:
    records: Zone = {
        "example.test MX": ["1 mx1.example.test."], "mx1.example.test A": ["127.0.0.1"],
        "mx1.example.test AAAA": "SERVFAIL",
    }  # fmt: skip
    [exchange] = (await route_by(zone(records))).reachable()
    assert exchange.addresses == ("127.0.0.1",)
    assert exchange.trouble is not None
    assert exchange.trouble.temporary


async def test_more_exchanges_than_anyone_needs_are_cut_by_preference_and_counted() -> None:
    listed = [f"{n} 192.0.2.{n}." for n in range(EXCHANGES_MAX + 5)]
    route = await route_by(truncating(zone({"example.test MX": listed[::-1]})))
    assert [exchange.preference for exchange in route.exchanges] == list(range(EXCHANGES_MAX))
    assert route.left_out == 5


def test_a_machine_that_names_no_nameserver_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_there(*_anything: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", nothing_there)
    with pytest.raises(UserError, match=r"^this machine's resolver configuration names no nameserver; name one$"):
        Resolver()
