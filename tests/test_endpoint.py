"""URLs that name a server: what is read, what is refused, and that nothing is lost in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.endpoint import SCHEMES, Endpoint, MailDomain, parse_endpoint, parse_mail_domain, parse_nameserver

READ = [
    # url                              protocol  host                port   path                  implicit TLS
    ("smtp://127.0.0.1:2525",          "smtp",   "127.0.0.1",        2525,  None,                 False),
    ("smtp://mail.example.test",       "smtp",   "mail.example.test", 25,   None,                 False),
    ("SMTP://Mail.Example.Test/",      "smtp",   "mail.example.test", 25,   None,                 False),
    ("smtps://mail.example.test",      "smtp",   "mail.example.test", 465,  None,                 True),
    ("lmtp://localhost",               "lmtp",   "localhost",        24,    None,                 False),
    ("pop3://[::1]",                   "pop3",   "::1",              110,   None,                 False),
    ("pop3s://[2001:DB8::1]:2995",     "pop3",   "2001:db8::1",      2995,  None,                 True),
    ("pop3://[fe80::1%eth0]:110",      "pop3",   "fe80::1%eth0",     110,   None,                 False),
    ("lmtp+unix:///run/dovecot/lmtp",  "lmtp",   None,               None,  "/run/dovecot/lmtp",  False),
    ("lmtp+unix:/run/dovecot/lmtp",    "lmtp",   None,               None,  "/run/dovecot/lmtp",  False),
    ("smtp+unix:///tmp/a%20b",         "smtp",   None,               None,  "/tmp/a b",           False),
    ("smtp://mx_1.example.test.:25",   "smtp",   "mx_1.example.test.", 25,  None,                 False),
]


@pytest.mark.parametrize(("url", "protocol", "host", "port", "path", "implicit"), READ)
def test_a_url_is_read(
    url: str, protocol: str, host: str | None, port: int | None, path: str | None, implicit: bool
) -> None:
    endpoint = parse_endpoint(url)
    assert (endpoint.protocol, endpoint.host, endpoint.port) == (protocol, host, port)
    assert (endpoint.path, endpoint.implicit_tls) == (path, implicit)


REFUSED = [
    ("",                               "with one of the schemes smtp, smtps, lmtp"),
    ("127.0.0.1:25",                   "with one of the schemes"),
    ("http://127.0.0.1",               "with one of the schemes"),
    ("smtp:127.0.0.1",                 "such as smtp://127.0.0.1:2525"),
    ("smtp://",                        "no host is named"),
    ("smtp://:25",                     "no host is named"),
    ("smtp://host:0",                  "from 1 to 65535, got '0'"),
    ("smtp://host:65536",              "from 1 to 65535"),
    ("smtp://host:",                   "from 1 to 65535"),
    ("smtp://host:²5",                 "from 1 to 65535"),
    ("smtp://host:2 5",                "from 1 to 65535"),
    ("smtp://user:secret@host",        "under [accounts]"),
    ("smtp://host/inbox",              "only a host and a port"),
    ("smtp://host?x=1",                "only a host and a port"),
    ("smtp://::1",                     "stands in brackets, such as [::1]"),
    ("smtp://[::1",                    "[address]:port"),
    ("smtp://[::1]25",                 "[address]:port"),
    ("smtp://[127.0.0.1]",             "IPv6 address between the brackets"),
    ("smtp://a..b",                    "neither a host name nor an address"),
    ("smtp://-a.test",                 "neither a host name nor an address"),
    ("smtp://ho st",                   "neither a host name nor an address"),
    ("smtp://host\r\nNOOP",            "neither a host name nor an address"),
    ("smtp://127.1",                   "not an IPv4 address"),
    ("smtp://134744072",               "not an IPv4 address"),
    ("smtp://0x7f000001",              "not an IPv4 address"),
    ("smtp://999.1.1.1",               "not an IPv4 address"),
    ("lmtp+unix://run/lmtp",           "absolute path of a unix socket, such as lmtp+unix:///run/dovecot/lmtp"),
    ("lmtp+unix:///run/",              "absolute path"),
    ("lmtp+unix:///" + "x" * 107,      "at most 107 octets"),
]


@pytest.mark.parametrize(("url", "sentence"), REFUSED)
def test_a_url_that_names_no_server_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_endpoint(url)
    assert sentence in str(caught.value)


LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
HOSTS = st.one_of(
    st.ip_addresses().map(str),
    st.lists(LABELS, min_size=1, max_size=4).map(".".join),
)
TCP = st.builds(
    Endpoint,
    protocol=st.sampled_from(["smtp", "pop3"]),
    host=HOSTS,
    port=st.integers(1, 65535),
    path=st.none(),
    implicit_tls=st.booleans(),
)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=20)
UNIX = st.builds(
    Endpoint,
    protocol=st.sampled_from(["smtp", "lmtp"]),
    host=st.none(),
    port=st.none(),
    path=NAMES.map(lambda name: f"/run/{name}"),
    implicit_tls=st.just(False),
)


@given(TCP | UNIX)
def test_what_an_endpoint_prints_parses_back_to_it(endpoint: Endpoint) -> None:
    assert parse_endpoint(str(endpoint)) == endpoint


@given(st.text() | st.builds("{}:{}".format, st.sampled_from(SCHEMES), st.text()))
def test_any_text_is_an_endpoint_or_a_value_error(text: str) -> None:
    try:
        endpoint = parse_endpoint(text)
    except ValueError:
        return
    assert parse_endpoint(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [("mx:example.test", "example.test", 25), ("MX:Example.Test.", "example.test", 25), ("mx:a.test:99", "a.test", 99)],
)
def test_a_mail_domain_is_read(text: str, name: str, port: int) -> None:
    domain = parse_mail_domain(text)
    assert domain == MailDomain(name, port) == parse_mail_domain(str(domain))
    assert domain.through("mx1.example.test") == parse_endpoint(f"smtp://mx1.example.test:{port}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mx:",                 "such as mx:example.test"),
        ("mx://example.test",   "such as mx:example.test"),
        ("mx:user@example.test", "such as mx:example.test"),
        ("mx:[127.0.0.1]",      "such as mx:example.test"),
        ("smtp:example.test",   "such as mx:example.test"),
        ("mx:127.0.0.1",        "is an address, and MX records belong to domains"),
        ("mx:a..b",             "neither a host name nor an address"),
        ("mx:example.test:",    "from 1 to 65535"),
        ("mx:example.test:0",   "from 1 to 65535"),
        ("mx:::1",              "such as mx:example.test"),
    ],
)  # fmt: skip
def test_what_names_no_mail_domain_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_mail_domain(text)
    assert sentence in str(caught.value)


def test_a_mail_domain_is_no_place_to_connect_to() -> None:
    with pytest.raises(ValueError, match="with one of the schemes"):
        parse_endpoint("mx:example.test")


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [("127.0.0.1", "127.0.0.1", 53), ("127.0.0.1:99", "127.0.0.1", 99), ("::1", "::1", 53), ("[::1]:99", "::1", 99)],
)
def test_a_nameserver_is_read(text: str, address: str, port: int) -> None:
    nameserver = parse_nameserver(text)
    assert (nameserver.address, nameserver.port) == (address, port)


@pytest.mark.parametrize("text", ["", "localhost", "dns.example.test:53", "127.1", "127.0.0.1:", "[::1", "1:2:3"])
def test_a_nameserver_without_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"nameserver|IPv6|from 1 to 65535"):
        parse_nameserver(text)
