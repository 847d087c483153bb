"""Who may be loaded: loopback freely, others by name, the public only with authority."""

import pytest

from loadgen.endpoint import parse_endpoint
from loadgen.scenario.safety import is_local, refusal

LOCAL = [
    "smtp://127.0.0.1", "smtp://127.9.9.9", "smtp://[::1]", "smtp://[::ffff:127.0.0.1]", "smtp://localhost",
    "smtp://LOCALHOST.", "smtp://mail.localhost", "lmtp+unix:///run/lmtp",
]   # fmt: skip
ELSEWHERE = [
    "smtp://10.0.0.1", "smtp://0.0.0.0", "smtp://localhost.example.com", "smtp://notlocalhost", "smtp://[::]",
    "smtp://[fe80::1%lo]", "smtp://8.8.8.8",
]   # fmt: skip


@pytest.mark.parametrize("url", LOCAL)
def test_this_machine_is_free(url: str) -> None:
    assert is_local(parse_endpoint(url))
    assert refusal(parse_endpoint(url), permitted_hosts=(), authorized=False) is None


@pytest.mark.parametrize("url", ELSEWHERE)
def test_any_other_host_must_be_named(url: str) -> None:
    reason = refusal(parse_endpoint(url), permitted_hosts=("other.test",), authorized=True)
    assert reason is not None
    assert "is beyond loopback and not permitted" in reason


NAMED = [
    # URL                          named as               public?
    ("smtp://10.1.2.3",            "10.1.2.3",            False),
    ("smtp://192.168.0.1",         "192.168.0.1",         False),
    ("smtp://[fd00::1]",           "FD00:0::1",           False),
    ("smtp://postfix",             "postfix",             False),   # a container's name
    ("smtp://mail.example.test",   "Mail.Example.TEST.",  False),
    ("smtp://mail.corp.internal",  "mail.corp.internal",  False),
    ("smtp://mail.example.com",    "mail.example.com",    True),
    ("smtp://8.8.8.8",             "8.8.8.8",             True),
    ("smtp://[::ffff:8.8.8.8]",    "8.8.8.8",             True),
    ("smtp://[2606:4700::1111]",   "2606:4700::1111",     True),
]


@pytest.mark.parametrize(("url", "named", "public"), NAMED)
def test_a_named_host_is_free_unless_it_is_public(url: str, named: str, public: bool) -> None:
    endpoint = parse_endpoint(url)
    reason = refusal(endpoint, permitted_hosts=(named,), authorized=False)
    assert (reason is not None) == public
    assert refusal(endpoint, permitted_hosts=(named,), authorized=True) is None
    if reason is not None:
        assert reason == f"{endpoint.host} is public; give --authorized to state that its owner agreed to this load"


def test_a_private_name_that_leads_to_a_public_address_is_public() -> None:
    endpoint = parse_endpoint("smtp://mail.example.test")
    permitted = ("mail.example.test",)
    assert refusal(endpoint, permitted_hosts=permitted, authorized=False, resolved=("10.0.0.1",)) is None
    assert refusal(endpoint, permitted_hosts=permitted, authorized=False, resolved=("10.0.0.1", "8.8.8.8"))


def test_a_public_name_that_leads_to_a_private_address_is_private_once_resolved() -> None:
    endpoint = parse_endpoint("smtp://mail.example.com")
    permitted = ("mail.example.com",)
    assert refusal(endpoint, permitted_hosts=permitted, authorized=False, resolved=("10.0.0.1",)) is None


def test_a_localhost_that_leads_elsewhere_is_refused() -> None:
    reason = refusal(
        parse_endpoint("smtp://mail.localhost"), permitted_hosts=(), authorized=True, resolved=("127.0.0.1", "10.0.0.1")
    )
    assert reason == "mail.localhost is a loopback name but leads to 10.0.0.1"
