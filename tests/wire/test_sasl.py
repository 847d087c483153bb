"""SASL mechanisms against the RFCs' own exchanges."""

from base64 import b64decode, b64encode

import pytest

from loadgen.wire.errors import LocalProtocolError, RemoteProtocolError
from loadgen.wire.sasl import (
    MECHANISMS,
    CramMd5,
    Login,
    Plain,
    ScramSha256,
    apop_digest,
    decode_challenge,
    make_mechanism,
)

# RFC 7677 §3
NONCE = "rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_plain_sends_all_at_once_or_when_asked() -> None:
    mechanism = Plain("test", "1234")
    assert mechanism.initial() == mechanism.answer(b"") == b"\0test\x001234"  # RFC 4954 §4.1
    assert (
        Plain("Kurt", "xipj3plmq", authorization_identity="Ursel").initial() == b"Ursel\0Kurt\0xipj3plmq"
    )  # RFC 4616 §4


def test_plain_has_no_challenge_and_no_nul() -> None:
    with pytest.raises(RemoteProtocolError):
        Plain("test", "1234").answer(b"what?")
    with pytest.raises(LocalProtocolError):
        Plain("te\0st", "1234")


def test_login_answers_two_prompts_whatever_they_say() -> None:
    mechanism = Login("test", "1234")
    assert mechanism.initial() is None
    assert [mechanism.answer(b"Username:"), mechanism.answer(b"anything")] == [b"test", b"1234"]
    with pytest.raises(RemoteProtocolError):
        mechanism.answer(b"More:")


def test_cram_md5_answers_as_in_rfc_2195_section_2() -> None:
    mechanism = CramMd5("tim", "tanstaaftanstaaf")
    assert mechanism.initial() is None
    assert mechanism.answer(b"<1896.697170952@postoffice.reston.mci.net>") == b"tim b913a602c7eda7a495b4e6e7334d3890"


def test_scram_answers_as_in_rfc_7677_section_3() -> None:
    mechanism = ScramSha256("user", "pencil", nonce=NONCE)
    assert mechanism.initial() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert mechanism.answer(SERVER_FIRST) == CLIENT_FINAL
    assert mechanism.answer(SERVER_FINAL) == b""
    with pytest.raises(RemoteProtocolError):
        mechanism.answer(SERVER_FINAL)


def test_scram_does_not_believe_a_server_that_cannot_prove_itself() -> None:
    mechanism = ScramSha256("user", "pencil", nonce=NONCE)
    mechanism.answer(SERVER_FIRST)
    with pytest.raises(RemoteProtocolError, match="signature"):
        mechanism.answer(b"v=" + b64encode(b"x" * 32))


@pytest.mark.parametrize(
    "server_first",
    [b"", b"r=other,s=QSXCR+Q6sek8bf92,i=4096", SERVER_FIRST.replace(b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", b""),
     SERVER_FIRST.replace(b"4096", b"0"), SERVER_FIRST.replace(b"4096", b"9999999999"),
     SERVER_FIRST.replace(b",i=4096", b""), b"m=ext," + SERVER_FIRST, SERVER_FIRST.replace(b"==", b"=")],
)  # fmt: skip
def test_scram_refuses_a_first_message_that_is_none_or_not_to_ours_or_too_much_work(server_first: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        ScramSha256("user", "pencil", nonce=NONCE).answer(server_first)


def test_scram_escapes_what_would_end_the_name() -> None:
    assert ScramSha256("a=b,c", "x", nonce="n").initial() == b"n,,n=a=3Db=2Cc,r=n"


def test_scram_prepares_names_as_rfc_4013_section_3_says() -> None:
    names = {"I\u00adX": "IX", "user": "user", "USER": "USER", "\u00aa": "a", "\u2168": "IX", "a\u00a0b": "a b"}
    for given, prepared in names.items():
        assert ScramSha256(given, "x", nonce="n").initial() == f"n,,n={prepared},r=n".encode()


@pytest.mark.parametrize("prohibited", ["\u0007", "\u0627\u0031", "a\u0627", "\ue000", "\u0221"])
def test_scram_refuses_what_rfc_4013_prohibits(prohibited: str) -> None:
    with pytest.raises(LocalProtocolError):
        ScramSha256(prohibited, "x", nonce="n")


@pytest.mark.parametrize("nonce", ["", "a,b", "a b", "\u00fc"])
def test_scram_refuses_a_nonce_that_would_break_the_message(nonce: str) -> None:
    with pytest.raises(LocalProtocolError):
        ScramSha256("user", "x", nonce=nonce)


def test_apop_digests_as_in_rfc_1939_section_7() -> None:
    assert apop_digest(b"<1896.697170952@dbc.mtview.ca.us>", "tanstaaf") == "c4c9334bac560ecc979e58001b3e22fb"


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_is_made_by_name_in_any_case(name: str) -> None:
    assert make_mechanism(name.lower(), "user", "pencil", nonce="n").name == name


def test_an_unknown_mechanism_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LocalProtocolError, match="CRAM-MD5"):
        make_mechanism("NTLM", "user", "pencil", nonce="n")


def test_a_challenge_is_base64_or_the_server_broke_it() -> None:
    assert decode_challenge(b"VXNlcm5hbWU6") == b"Username:"
    assert decode_challenge(b"") == b""
    assert b64decode(b64encode(b"x")) == decode_challenge(b"eA==")
    for broken in (b"eA=", b"not base64", b"\xff\xff\xff\xff"):
        with pytest.raises(RemoteProtocolError):
            decode_challenge(broken)
