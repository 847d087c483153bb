"""The null sink: whatever a client that waits for its replies says is granted, and counted."""

import json
import smtplib
import subprocess
import sys

import pytest

from conformance.refserver.listener.null_sink import Dialogue

SAID = [
    (b"EHLO client\r\n", b"250 ok\r\n"),
    (b"MAIL FROM:<a@example.test>\r\n", b"250 ok\r\n"),
    (b"RCPT TO:<b@example.test>\r\n", b"250 ok\r\n"),
    (b"DATA\r\n", b"354 go on\r\n"),
    (b"Subject: x\r\n\r\nDATA\r\nQUIT\r\n..\r\n.\r\n", b"250 ok\r\n"),
    (b"RSET\r\n", b"250 ok\r\n"),
    (b"data\r\n", b"354 go on\r\n"),
    (b".\r\n", b"250 ok\r\n"),
    (b"QUIT\r\n", b"221 bye\r\n"),
]


def test_every_command_has_its_reply_and_mail_data_have_one() -> None:
    dialogue = Dialogue()
    assert [(said, dialogue.answer(said)) for said, _ in SAID] == SAID
    assert dialogue.messages == 2


@pytest.mark.parametrize("size", range(1, 8))
def test_the_end_of_mail_data_is_found_however_it_is_cut(size: int) -> None:
    dialogue = Dialogue()
    dialogue.answer(b"DATA\r\n")
    octets = b"a line\r\n..\r\n.no end\r\n\r\n.\r\n"
    answers = [dialogue.answer(octets[start : start + size]) for start in range(0, len(octets), size)]
    assert answers == [b""] * (len(answers) - 1) + [b"250 ok\r\n"]


@pytest.mark.timeout(30)
def test_a_client_of_another_make_delivers_to_it_and_it_tells_what_it_took() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "mailproof", "sink", "--until-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as sink:
        assert sink.stdin is not None
        assert sink.stdout is not None
        host, _, port = json.loads(sink.stdout.readline())["smtp"].removeprefix("smtp://").partition(":")
        with smtplib.SMTP(host, int(port), timeout=10) as client:
            for number in range(3):
                client.sendmail("a@example.test", ["b@example.test"], f"Subject: {number}\r\n\r\n.dot\r\n")
        sink.stdin.write(b"\n")
        sink.stdin.flush()
        used = json.loads(sink.stdout.readline())
        sink.stdin.close()
        assert sink.wait(10) == 0
    assert (used["connections"], used["messages"]) == (1, 3)
    assert used["cpu_s"] > 0
