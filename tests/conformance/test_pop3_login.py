"""The ways into a maildrop."""

from base64 import b64encode

import pytest

from conformance.answer import Ended
from conformance.pop3_answer import Pop3Answer
from conformance.pop3_login import ROUNDS, WAYS
from loadgen.wire.response import read_status_line
from tests.conformance.pop3_stage import Script

STAMP = b"<1896.697170952@dbc.mtview.ca.us>"      # RFC 1939 §7, example, and its digest over "tanstaaf"
DIGEST = b"c4c9334bac560ecc979e58001b3e22fb"


async def log_in(way: str, script: Script, login: str = "mrose", password: str = "tanstaaf") -> Pop3Answer:
    async def ask(command: bytes) -> Pop3Answer:
        said = script(command)
        return Pop3Answer(ended=Ended.CLOSED) if said is None else Pop3Answer(read_status_line(said), said)

    return await WAYS[way](ask, login, password, STAMP)


async def test_user_then_pass() -> None:
    script = Script({b"USER mrose": b"+OK\r\n", b"PASS tanstaaf": b"+OK in\r\n"})
    assert (await log_in("USER", script)).text == b"in"


async def test_no_password_is_said_where_user_is_refused() -> None:
    script = Script({b"USER mrose": b"-ERR no\r\n"})
    assert (await log_in("USER", script)).err
    assert script.said == [b"USER mrose"]


async def test_apop_gives_the_digest_of_the_rfc() -> None:
    script = Script({b"APOP mrose " + DIGEST: b"+OK\r\n"})
    assert (await log_in("APOP", script)).ok


async def test_plain_waits_to_be_asked() -> None:
    script = Script({b"AUTH PLAIN": b"+ \r\n", b64encode(b"\0mrose\0tanstaaf"): b"+OK\r\n"})
    assert (await log_in("PLAIN", script)).ok


async def test_login_answers_two_prompts() -> None:
    script = Script({
        b"AUTH LOGIN": b"+ VXNlcm5hbWU6\r\n", b64encode(b"mrose"): b"+ UGFzc3dvcmQ6\r\n",
        b64encode(b"tanstaaf"): b"+OK\r\n",
    })  # fmt: skip
    assert (await log_in("LOGIN", script)).ok


async def test_cram_md5_answers_the_challenge_of_the_rfc() -> None:
    challenge = b64encode(b"<1896.697170952@postoffice.reston.mci.net>")       # RFC 2195 §2, example
    answer = b64encode(b"tim b913a602c7eda7a495b4e6e7334d3890")
    script = Script({b"AUTH CRAM-MD5": b"+ " + challenge + b"\r\n", answer: b"+OK\r\n"})
    assert (await log_in("CRAM-MD5", script, "tim", "tanstaaftanstaaf")).ok


async def test_a_challenge_that_makes_no_sense_ends_the_exchange() -> None:
    script = Script({b"AUTH CRAM-MD5": b"+ !!\r\n", b"*": b"-ERR cancelled\r\n"})
    assert (await log_in("CRAM-MD5", script)).text == b"cancelled"


@pytest.mark.parametrize("way", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
async def test_a_server_that_challenges_for_ever_does_not_keep_us(way: str) -> None:
    asked = 0

    async def ask(command: bytes) -> Pop3Answer:
        nonlocal asked
        asked += 1
        octets = b"-ERR cancelled\r\n" if command == b"*" else b"+ \r\n"
        return Pop3Answer(read_status_line(octets), octets)

    assert (await WAYS[way](ask, "mrose", "tanstaaf", b"")).text == b"cancelled"
    assert asked <= ROUNDS + 2


async def test_a_mechanism_that_is_refused_is_refused() -> None:
    script = Script({})
    assert (await log_in("SCRAM-SHA-256", script)).err
    assert script.said == [b"AUTH SCRAM-SHA-256"]
