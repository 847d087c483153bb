"""`slow-sender` and `slow-reader`: lawful, and a burden. Both keep a server's resources for long.

What goes at our pace is not timed: it would tell about us, not about the server. A server that loses patience
and closes, with a 421 or 451 or without a word (RFC 5321 §3.8, §4.5.3.2; RFC 1939 §3), does what it may. Such an end
is accepted, and counts among the replies: the code it gave, or `closed`.
"""

from dataclasses import replace
from typing import Final

import trio

from loadgen.clock import NS_PER_S, clock_ns
from loadgen.message.compose import Composer
from loadgen.schedule.other_plans import SlowReadPlan, SlowSendPlan
from loadgen.session.course import follow, without_a_word
from loadgen.session.dialogue import Connection
from loadgen.session.login import mechanism_for
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.refused import Refused
from loadgen.session.retrieve import empty_the_maildrop
from loadgen.session.route import Route
from loadgen.session.smtp_dialogue import SmtpDialogue
from loadgen.session.trace import Offered, Trace
from loadgen.session.transaction import envelope_of, open_transaction, positive
from loadgen.wire.commands import Rset

GROUP_COMMANDS: Final = 10_000      # 60 KB: so much our own side can always hold, whether the server reads or not


async def send_slowly(route: Route, plan: SlowSendPlan, composer: Composer, trace: Trace, arrival: int) -> Outcome:
    """Run one session with one dribbled message, and say how it ended.

    A message given up before its end counts as refused; were it found in a maildrop, it would be misdelivered.
    After an answer that came too early the server may still wait for mail data: the session closes without QUIT.
    """
    dialogue = SmtpDialogue(route, trace, arrival)
    ended = True

    async def script() -> Outcome:
        nonlocal ended
        await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        message = composer.compose(
            arrival, 0,
            reverse_path=plan.reverse_path, recipients=(plan.recipient,), size_octets=plan.size_octets,
        )
        envelope = envelope_of(
            dialogue,
            reverse_path=plan.reverse_path, recipients=(plan.recipient,), size_octets=message.content_octets,
        )
        trace.messages_offered += 1
        trace.messages_refused += 1      # until it has been sent to its end
        opened = await open_transaction(dialogue, envelope, pipelined=False)
        if opened.refusal is not None:
            return opened.refusal

        def begin() -> None:
            trace.messages_refused -= 1
            trace.begun.append(Offered(message.stamp, opened.accepted, plan.reverse_path))
            trace.dot_sent(clock_ns())
            dialogue.may_be_cut_off = False

        dialogue.may_be_cut_off, ended = True, False
        reply, ended = await dialogue.dribble(
            message.mail_data, plan.segment_octets, plan.pause_ns / NS_PER_S, last=begin
        )
        if not ended:
            return ACCEPTED
        trace.settle(opened.accepted, accepted=positive(reply), at_ns=clock_ns(), code=reply.code)
        if positive(reply):
            return ACCEPTED
        trace.messages_refused += 1
        return dialogue.refusal("body", reply).outcome

    async def leave() -> Refused | None:
        return await (dialogue.quit if ended else without_a_word)()

    return await follow(dialogue, script, leave)


class SlowDialogue(Connection):
    """A dialogue that reads a few octets at a time once it is told to, each read after a pause.

    What one read of the transport gave is handed on in small parts before the next: the receive buffer and
    one such read hold what the server could send ahead.
    """

    _pace: SlowReadPlan | None = None
    _unread = b""

    def slow_down(self, plan: SlowReadPlan) -> None:
        """Read slowly from now on. It is not timed any more, and the server may close."""
        self._pace, self.timed, self.may_be_cut_off = plan, False, True

    async def _ask(self, octets: bytes, deadline: float) -> bytes:
        await self._say(octets, deadline)
        return await self._receive(deadline)

    async def _receive(self, deadline: float) -> bytes:
        """Return the next few octets. The server has its whole limit for each: the pauses are ours."""
        if self._pace is None:
            return await super()._receive(deadline)
        await trio.sleep(self._pace.pause_ns / NS_PER_S)
        if not self._unread:
            limit_s = self.route.limits.for_phase(self.trace.phase)
            self._unread = await super()._receive(trio.current_time() + limit_s)
        some = self._pace.read_octets
        octets, self._unread = self._unread[:some], self._unread[some:]
        return octets


class SlowPop3Dialogue(SlowDialogue, Pop3Dialogue):
    """POP3, read slowly."""


class SlowSmtpDialogue(SlowDialogue, SmtpDialogue):
    """SMTP, read slowly."""


async def read_slowly(route: Route, plan: SlowReadPlan, trace: Trace, arrival: int) -> Outcome:
    """Run one session that reads slowly, and say how it ended: a maildrop, of which nothing is deleted, or replies.

    It opens like any other; from then on it is slow, and may be cut off.
    """
    route = replace(route, receive_buffer_octets=plan.window_octets)
    if plan.protocol == "pop3":
        return await _read_maildrop(SlowPop3Dialogue(route, trace, arrival), plan)
    return await _read_replies(SlowSmtpDialogue(route, trace, arrival), plan, arrival)


async def _read_maildrop(dialogue: SlowPop3Dialogue, plan: SlowReadPlan) -> Outcome:
    async def script() -> Outcome:
        await dialogue.open(plan.account, plan.auth)
        dialogue.slow_down(plan)
        await empty_the_maildrop(dialogue, plan.account.address, delete=False)
        return ACCEPTED

    return await follow(dialogue, script)


async def _read_replies(dialogue: SlowSmtpDialogue, plan: SlowReadPlan, arrival: int) -> Outcome:
    """Ask for many replies before the first is read: RSET may be pipelined, its reply costs nothing (RFC 2920 §3.1)."""

    async def script() -> Outcome:
        await dialogue.open(mechanism_for(plan.auth, plan.account, arrival))
        dialogue.slow_down(plan)
        at_once = GROUP_COMMANDS if dialogue.client.extensions.pipelining else 1
        for start in range(0, plan.commands, at_once):
            replies = await dialogue.ask_all([("rset", Rset())] * min(at_once, plan.commands - start))
            if dialogue.closed:
                break
            for reply in replies:
                if not positive(reply):
                    raise dialogue.refusal("rset", reply)
        return ACCEPTED

    return await follow(dialogue, script)
