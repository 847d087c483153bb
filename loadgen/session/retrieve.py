"""`pop3-retrieve`: log in, see what is there, fetch it all, delete it if asked (RFC 1939 §5-§6)."""

from loadgen.clock import clock_ns
from loadgen.message.stamp import read_stamp
from loadgen.schedule.plans import RetrievalPlan
from loadgen.session.course import follow
from loadgen.session.outcome import ACCEPTED, Outcome
from loadgen.session.pop3_dialogue import Pop3Dialogue
from loadgen.session.route import Route
from loadgen.session.trace import Retrieved, Trace
from loadgen.wire.pop3 import parse_scan_listing, parse_stat, parse_uidl
from loadgen.wire.pop3_commands import Dele, List, Retr, Stat, Uidl


async def retrieve(route: Route, plan: RetrievalPlan, trace: Trace, arrival: int) -> Outcome:
    """Run one session and say how it ended, as `follow` decides; the first -ERR ends the script."""
    dialogue = Pop3Dialogue(route, trace, arrival)

    async def script() -> Outcome:
        await dialogue.open(plan.account, plan.auth)
        await empty_the_maildrop(dialogue, plan.account.address, delete=plan.delete)
        return ACCEPTED

    return await follow(dialogue, script)


async def empty_the_maildrop(dialogue: Pop3Dialogue, address: str, *, delete: bool) -> None:
    """Retrieve every message there is, and delete it if asked; the first -ERR raises Refused."""
    count, _ = parse_stat(await dialogue.require("stat", Stat()))
    if count == 0:
        return
    numbers = [number for number, _ in parse_scan_listing(await dialogue.require("list", List()))]
    # UIDL is optional (RFC 1939 §7): without it the session goes on, and copies cannot be told apart.
    listing = await dialogue.ask("uidl", Uidl())
    unique_ids = dict(parse_uidl(listing)) if listing.ok else {}
    for number in numbers:
        response = await dialogue.require("retr", Retr(number))
        assert response.body is not None, "RETR is multi-line"
        dialogue.trace.retrieved.append(
            Retrieved(
                maildrop=address,
                unique_id=unique_ids.get(number),
                stamp=read_stamp(response.body),
                octets=len(response.body),
                at_ns=clock_ns(),
            )
        )
        if delete:
            await dialogue.require("dele", Dele(number))
