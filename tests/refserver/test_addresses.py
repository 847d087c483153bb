"""The grammar of paths and domains (RFC 5321 §4.1.2, §4.1.3, §4.5.3.1), and who lives at them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.refserver.address import (
    is_address_literal,
    is_domain,
    parse_forward_path,
    parse_mailbox,
    parse_reverse_path,
)
from conformance.refserver.directory import Account, Directory, Refusal, accounts_by_pattern
from conformance.refserver.errors import ServerSetupError

LABEL = b"a" * 63
GOOD = [
    b"a@b", b"a.b.c@d.example", b"!#$%&'*+-/=?^_{}~`|@d.example", b'"a b"@d.example', b'"a@b, c"@d.example',
    b'"a\\"b\\\\"@d.example', b'""@d.example', b"a@1.2.3", b"a@[192.0.2.1]", b"a@[IPv6:2001:db8::1]",
    b"a@[IPv6:::ffff:192.0.2.1]", b"a@[IPv6:1:2:3:4:5:6:7:8]", b"l" * 64 + b"@d.example", b"a@" + LABEL + b".example",
    b"a@" + b".".join([b"a" * 60] * 4), "ü@bücher.example".encode(),
]
BAD = [
    b"", b"a", b"@d.example", b"a@", b".a@d.example", b"a.@d.example", b"a..b@d.example", b"a b@d.example",
    b"a,b@d.example", b"a:b@d.example", b"a@b@d.example", b"a(c)@d.example", b'"a@d.example', b'"a\\"@d.example',
    b'a"b"@d.example',
    b'"a\x01"@d.example', b'"a\\\x01"@d.example', b"a@-d.example", b"a@d-.example", b"a@d..example", b"a@d_e.example",
    b"a@.example", b"a@d.example.", b"a@#123", b"a@[256.1.1.1]", b"a@[1.2.3]", b"a@[2001:db8::1]",
    b"a@[IPv6:2001::db8::1]", b"a@[IPv6:fe80::1%eth0]", b"a@[x-tag:abc]", b"a@[]", b"l" * 65 + b"@d.example",
    b"a@" + b"a" * 64 + b".example", b"a@" + b".".join([b"a" * 60] * 5),
    b"a\x00@d.example", b"a@d\x7f.example", b"\xff@d.example", b"a\r\nb@d.example",
]


@pytest.mark.parametrize("mailbox", GOOD)
def test_a_mailbox_of_the_grammar_parses_and_keeps_its_octets(mailbox: bytes) -> None:
    path = parse_mailbox(mailbox)
    assert path is not None
    assert path.mailbox == mailbox
    assert parse_reverse_path(b"<" + mailbox + b"> SIZE=1") == (path, b" SIZE=1")
    assert parse_forward_path(b"<@r.example,@s.example:" + mailbox + b">") == (path, b"") or len(mailbox) > 200


@pytest.mark.parametrize("mailbox", BAD)
def test_a_mailbox_outside_the_grammar_does_not(mailbox: bytes) -> None:
    assert parse_mailbox(mailbox) is None
    if mailbox:
        assert parse_reverse_path(b"<" + mailbox + b">") is None
    assert parse_forward_path(b"<" + mailbox + b">") is None


BAD_PATHS = [b"a@b", b"<a@b", b" <a@b>", b"<a@b >", b"< a@b>", b"<@a,:b@c>", b"<@a:@b:c@d>", b"<@a b@c>"]


@pytest.mark.parametrize("octets", BAD_PATHS)
def test_a_path_needs_its_brackets_and_nothing_more_inside(octets: bytes) -> None:
    assert parse_reverse_path(octets) is None


def test_a_path_of_256_octets_parses_and_of_257_does_not() -> None:
    local, domain = b"l" * 64, b".".join([b"d" * 47, b"d" * 47, b"d" * 47, b"d" * 45])
    assert len(b"<" + local + b"@" + domain + b">") == 256
    assert parse_reverse_path(b"<" + local + b"@" + domain + b">") is not None
    assert parse_reverse_path(b"<" + local + b"@" + domain + b"d>") is None


def test_quoting_is_taken_off_and_the_null_path_is_null() -> None:
    path = parse_mailbox(b'"\\u\\s\\"er"@d.example')
    assert path is not None
    assert path.local_part == 'us"er'
    null = parse_reverse_path(b"<>")
    assert null is not None
    assert null[0].is_null
    assert parse_forward_path(b"<>") is None


@given(st.binary(max_size=80))
def test_whatever_is_sent_parses_or_does_not_and_nothing_else_happens(octets: bytes) -> None:
    for parsed in (parse_reverse_path(octets), parse_forward_path(octets)):
        assert parsed is None or octets.endswith(parsed[1])


def test_domains_and_literals() -> None:
    assert [is_domain(name) for name in (b"a", b"a.b-c.1", b"a_b", b"", b"a.", "ü.example".encode())] == [
        True, True, False, False, False, False,
    ]
    assert [is_address_literal(name) for name in (b"[192.0.2.1]", b"[IPV6:::1]", b"192.0.2.1", b"[::1]", b"[x]")] == [
        True, True, False, False, False,
    ]


def find(directory: Directory, mailbox: bytes) -> str | Refusal:
    path = parse_mailbox(mailbox)
    assert path is not None
    return directory.maildrop_of(path)


def test_a_login_is_the_whole_address_or_its_local_part_unless_two_domains_share_it() -> None:
    directory = Directory(
        ["a.test", "b.test"], [Account("x@a.test", "1"), Account("x@b.test", "2"), Account("y@b.test", "3")]
    )
    assert directory.authenticate(b"x", b"1") is directory.authenticate(b"x", b"2") is None
    assert directory.authenticate(b"x@b.test", b"2") == Account("x@b.test", "2")
    assert directory.authenticate(b"Y", b"3") == Account("y@b.test", "3")
    assert directory.authenticate(b"y@a.test", b"3") is None
    assert directory.authenticate(b"y", b"") is None
    assert directory.authenticate(b"\xff", b"3") is None


def test_an_account_without_a_password_cannot_log_in() -> None:
    assert Directory(["a.test"], [Account("x@a.test", "")]).authenticate(b"x", b"") is None


def test_accept_any_takes_mail_for_every_mailbox_of_a_served_domain_and_no_other() -> None:
    directory = Directory(["a.test"], [Account("x@a.test", "1")], accept_any=True)
    assert find(directory, b"Who@A.test") == "who@a.test"
    assert find(directory, b"X@a.test") == "x@a.test"
    assert find(directory, b"who@b.test") is Refusal.NOT_OUR_DOMAIN


def test_without_accounts_postmaster_has_a_maildrop_of_its_own() -> None:
    directory = Directory(["a.test"], [])
    assert find(directory, b"postmaster@a.test") == "postmaster@a.test"
    assert find(directory, b"x@a.test") is Refusal.NO_SUCH_MAILBOX


def test_bad_account_patterns_have_their_sentence() -> None:
    with pytest.raises(ServerSetupError, match="has no "):
        accounts_by_pattern("user@a.test", 2, "x")
    with pytest.raises(ServerSetupError, match="which is no mailbox"):
        accounts_by_pattern("user{n}", 2, "x")
    with pytest.raises(ServerSetupError, match=r"outside the served domains \(b.test\)"):
        Directory(["b.test"], accounts_by_pattern("user{n}@a.test", 1, "x"))


def test_a_password_is_never_shown() -> None:
    assert "hunter2" not in repr(Account("a@b.test", "hunter2"))
