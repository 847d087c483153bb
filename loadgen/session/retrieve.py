"""`pop3-retrieve`: log in, see what is there, fetch it all, delete it if asked (RFC 1939 §5-§6)."""

from collections.abc import Awaitable, Callable
from typing import Final

from loadgen.schedule.plans import RetrievalPlan
from loadgen.session.course import follow
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.plain import CONNECTED, PlainSession
from loadgen.session.plain_retrieval import PlainRetrieval, is_plain
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.route import Route
from loadgen.session.trace import Mark, Trace
from loadgen.transport.stream import Transport
from loadgen.wire.pop3 import Response, parse_scan_listing, parse_stat, parse_uidl
from loadgen.wire.pop3_commands import Capa, Dele, List, Retr, Stat, Uidl

GROUP_MESSAGES: Final = 16     # bounds what a server must queue for us


def retrieve(route: Route, plan: RetrievalPlan, trace: Trace, arrival: int) -> Awaitable[Outcome]:
    """Run one session and say how it ended, as `follow` decides; the first -ERR ends the script.

    To be awaited at once.
    """
    if not is_plain(route, plan):
        return _ordinarily(Pop3Dialogue(route, trace, arrival), plan)
    plain = PlainRetrieval(route, plan, trace)

    def otherwise(transport: Transport) -> Awaitable[Outcome]:
        return go_over(route, plan, trace, plain, transport, plain.mark.retrieved)

    return plain.run(arrival, otherwise)


def go_over(
    route: Route, plan: RetrievalPlan, trace: Trace, plain: PlainSession, transport: Transport, before: int
) -> Awaitable[Outcome]:
    """Go over a session by the ordinary code, its plain course having ended where something was otherwise.

    What stands in the trace before the leg in which it was is not gone over, nor are the messages `before` it.
    """
    dialogue = Pop3Dialogue(route, trace, plain.arrival)
    dialogue.go_over(transport, plain)
    return _ordinarily(dialogue, plan, plain.mark, before)


async def _ordinarily(
    dialogue: Pop3Dialogue, plan: RetrievalPlan, noted: Mark = CONNECTED, before: int = 0
) -> Outcome:
    async def script() -> Outcome:
        await dialogue.open(plan.account, plan.auth)
        pipelined = plan.pipelining == "if-offered" and await _pipelines(dialogue)
        await empty_the_maildrop(
            dialogue, plan.account.address, delete=plan.delete, pipelined=pipelined, noted=noted, before=before
        )
        return ACCEPTED

    return await follow(dialogue, script)


async def _pipelines(dialogue: Pop3Dialogue) -> bool:
    """Ask for the capabilities, which a server need not know of (RFC 2449 §5), and say whether it pipelines."""
    await dialogue.ask("capa", Capa())
    return "PIPELINING" in dialogue.client.capabilities


async def empty_the_maildrop(
    dialogue: Pop3Dialogue, address: str, *, delete: bool, pipelined: bool = False, noted: Mark = CONNECTED,
    before: int = 0,
) -> None:  # fmt: skip
    """Retrieve every message there is, and delete it if asked; the first -ERR raises Refused.

    If more than the connection was `noted`, that is what there is, and what was retrieved `before`.
    """
    count, _ = parse_stat(await dialogue.require("stat", Stat()))
    if count == 0:
        return
    numbers = [number for number, _ in parse_scan_listing(await dialogue.require("list", List()))]
    # UIDL is optional (RFC 1939 §7): without it the session goes on, and copies cannot be told apart.
    listing = await dialogue.ask("uidl", Uidl())
    unique_ids = dict(parse_uidl(listing)) if listing.ok else {}
    if noted is not CONNECTED:
        dialogue.trace.forget_since(noted)
        del numbers[:before]
    verified = dialogue.route.verified     # a digest of 100 KiB costs as much as its retrieval

    def keep(number: int, response: Response) -> None:
        assert response.body is not None, "RETR is multi-line"
        dialogue.trace.found(
            address, number, unique_ids.get(number), response.body, dialogue.now_ns(), verified=verified
        )

    if pipelined:
        await _in_groups(dialogue, numbers, keep, delete=delete)
        return
    for number in numbers:
        keep(number, await dialogue.require("retr", Retr(number)))
        if delete:
            await dialogue.require("dele", Dele(number))


async def _in_groups(
    dialogue: Pop3Dialogue, numbers: list[int], keep: Callable[[int, Response], None], *, delete: bool
) -> None:
    """Retrieve a bounded number of messages by one write, then delete these by another.

    Not both by one: the DELE of a message whose RETR failed would have been said by then, and QUIT make it true.
    """
    for start in range(0, len(numbers), GROUP_MESSAGES):
        group = numbers[start : start + GROUP_MESSAGES]
        await dialogue.require_all("retr", [Retr(number) for number in group], keep)
        if delete:
            await dialogue.require_all("dele", [Dele(number) for number in group], lambda *_: None)
