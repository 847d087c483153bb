"""The grammar of addresses: what must be understood, and what must not be (RFC 5321 §4.1.2, §4.1.3).

What is lawful is asked for in one session, form after form. What is not has a session for each form, because servers
end one after few errors; MAIL is asked, and RCPT where the form leaves a recipient who would be taken.
"""

from collections.abc import Iterable
from typing import Final

from conformance.case import case
from conformance.cases.smtp.grammar import (
    domain_of_recipient,
    domain_of_sender,
    open_controlled,
    parsed,
    understood_recipient,
)
from conformance.judgement import Did, Judgement, declined, diverged, observed, satisfied, undetermined
from conformance.peer import SmtpPeer
from loadgen.wire.printable import printable

MAIL: Final = b"MAIL FROM:"
LABEL_OCTETS_MAX: Final = 63               # RFC 1035 §2.3.4


async def all_parsed(peer: SmtpPeer, paths: Iterable[bytes]) -> Judgement:
    """Ask MAIL with each path in turn, and judge the first that is not taken; what passes and what does not counts."""
    await open_controlled(peer)
    unsure: Judgement | None = None
    taken = 0
    for path in paths:
        answer = await peer.ask(MAIL + path)
        judgement = parsed(answer, f"MAIL FROM:{printable(path)}")
        if judgement.did is Did.VIOLATED or answer.reply is None:
            return judgement
        if answer.yes:
            taken += 1
            await peer.control(b"RSET")
        else:
            unsure = judgement
    return unsure or satisfied(f"{taken} forms taken")


async def refused(peer: SmtpPeer, path: bytes, forward: bytes | None = None) -> Judgement:
    """Ask MAIL with a malformed path, then RCPT with another, and judge the first that is not refused."""
    await open_controlled(peer)
    judgement = (await peer.ask(MAIL + path)).expect("5yz", to=f"MAIL FROM:{printable(path)}")
    if judgement.did is not Did.SATISFIED or forward is None:
        return judgement
    await peer.mail()
    return (await peer.ask(b"RCPT TO:" + forward)).expect("5yz", to=f"RCPT TO:{printable(forward)}")


async def refused_in_both(peer: SmtpPeer, form: bytes) -> Judgement:
    """Ask MAIL and RCPT with a form made of a local-part and a domain, those that the server takes."""
    domain_of_sender(peer)
    forward = None
    if peer.subject.found.recipients and b"@" in peer.recipient:
        forward = form % tuple(peer.recipient.rsplit(b"@", 1))
    return await refused(peer, form % tuple(peer.sender.rsplit(b"@", 1)), forward)


ATEXT: Final = (b"!#$%&'", b"*+-/=", b"?^_`", b"{|}~")


@case("smtp.addr.atext")
async def every_atext_is_understood(peer: SmtpPeer) -> Judgement:
    """Every character that an atom may have may stand in a local-part."""
    domain = domain_of_sender(peer)
    return await all_parsed(peer, [b"<a" + some + b"z@" + domain + b">" for some in ATEXT])


@case("smtp.addr.dot-string")
async def inner_dots_are_understood(peer: SmtpPeer) -> Judgement:
    """Single dots may part the atoms of a local-part."""
    domain = domain_of_sender(peer)
    return await all_parsed(peer, [b"<a.b@" + domain + b">", b"<a.b.c.d-e.f@" + domain + b">"])


async def all_understood(peer: SmtpPeer, local_parts: Iterable[bytes]) -> Judgement:
    """Ask RCPT with each local-part, at a domain of the server's; nobody need have such a name."""
    domain = domain_of_recipient(peer)
    await peer.open()
    await peer.mail()
    await peer.rcpt()
    judgement = satisfied("nothing asked")
    for local_part in local_parts:
        path = b"<" + local_part + b"@" + domain + b">"
        judgement = understood_recipient(await peer.ask(b"RCPT TO:" + path), f"RCPT TO:{printable(path)}")
        if judgement.did is not Did.SATISFIED:
            break
    return judgement


@case("smtp.addr.atext", variants={"rcpt": [b"a" + some + b"z" for some in ATEXT]})
async def every_atext_of_a_recipient_is_understood(peer: SmtpPeer, local_parts: list[bytes]) -> Judgement:
    """Every character that an atom may have may stand in a recipient's local-part."""
    return await all_understood(peer, local_parts)


@case("smtp.addr.dot-string", variants={"rcpt": [b"a.b", b"a.b.c.d-e.f"]})
async def inner_dots_of_a_recipient_are_understood(peer: SmtpPeer, local_parts: list[bytes]) -> Judgement:
    """Single dots may part the atoms of a recipient's local-part."""
    return await all_understood(peer, local_parts)


DOTS: Final = {"leading": b"<.%b@%b>", "trailing": b"<%b.@%b>", "double": b"<a..%b@%b>"}


@case("smtp.addr.leading-dot", variants=DOTS)
async def other_dots_are_refused(peer: SmtpPeer, form: bytes) -> Judgement:
    """No dot may stand at the beginning or end of a local-part, nor beside another; many servers take that."""
    return await refused_in_both(peer, form)


QUOTED: Final = (b"a b", b"a,b", b"a@b", rb"a\"b", rb"a\\b", b"a>b", b"a:b", b".a..b.")


@case("smtp.addr.quoted-specials")
async def quoted_specials_are_understood(peer: SmtpPeer) -> Judgement:
    """A quoted local-part may have spaces, commas, at-signs, and with a backslash quotes and backslashes."""
    domain = domain_of_sender(peer)
    return await all_parsed(peer, [b'<"' + text + b'"@' + domain + b">" for text in QUOTED])


@case("smtp.addr.quoted-specials", variants={"rcpt": [b'"' + text + b'"' for text in QUOTED[:6]]})
async def quoted_specials_of_a_recipient_are_understood(peer: SmtpPeer, local_parts: list[bytes]) -> Judgement:
    """A recipient's quoted local-part may have what a sender's may."""
    return await all_understood(peer, local_parts)


UNCLOSED: Final = {"opened": b'<"%b@%b>', "closed": b'<%b"@%b>', "escaped": b'<"%b\\"@%b>'}


@case("smtp.addr.quoted-unclosed", variants=UNCLOSED)
async def an_unclosed_quote_is_refused(peer: SmtpPeer, form: bytes) -> Judgement:
    """A quoted local-part ends with a quote that no backslash takes away."""
    return await refused_in_both(peer, form)


CONTROLS: Final = {"bel": b"\a", "tab": b"\t", "del": b"\x7f", "escaped-bel": b"\\\a", "escaped-tab": b"\\\t"}


@case("smtp.addr.quoted-control", variants=CONTROLS)
async def a_quoted_control_octet_is_refused(peer: SmtpPeer, octets: bytes) -> Judgement:
    """No control octet may stand within quotes, behind a backslash neither."""
    return await refused_in_both(peer, b'<"%b' + octets + b'"@%b>')


UNQUOTED: Final = {
    "space": b"<a %b@%b>", "comma": b"<a,%b@%b>", "colon": b"<a:%b@%b>", "parenthesis": b"<a(%b@%b>",
    "two-ats": b"<a@%b@%b>", "semicolon": b"<a;%b@%b>", "angle": b"<a<%b@%b>",
}  # fmt: skip


@case("smtp.addr.unquoted-specials", variants=UNQUOTED)
async def unquoted_specials_are_refused(peer: SmtpPeer, form: bytes) -> Judgement:
    """What an atom may not have stands in a local-part only within quotes."""
    return await refused_in_both(peer, form)


COMMENTS: Final = {"behind": b"<%b(comment)@%b>", "before": b"<(comment)%b@%b>", "domain": b"<%b@%b(comment)>"}


@case("smtp.addr.comment", variants=COMMENTS)
async def a_comment_is_refused(peer: SmtpPeer, form: bytes) -> Judgement:
    """An address of the envelope has no comments."""
    return await refused_in_both(peer, form)


GARBAGE: Final = {"letters": b"<%b@%b>x", "bracket": b"<%b@%b>>", "address": b"<%b@%b>,<b@c.example>"}


@case("smtp.addr.garbage-after-path", variants=GARBAGE)
async def garbage_behind_a_path_is_refused(peer: SmtpPeer, form: bytes) -> Judgement:
    """Behind the closing bracket stands a space, or nothing."""
    return await refused_in_both(peer, form)


LABELS: Final = {"hyphen-first": b"-a.", "hyphen-last": b"a-.", "empty": b"a..", "underscore": b"a_b."}


@case("smtp.addr.domain-labels", variants={name: (name, label) for name, label in LABELS.items()})
async def a_malformed_label_is_refused(peer: SmtpPeer, what: tuple[str, bytes]) -> Judgement:
    """The labels of a domain are letters and digits, with hyphens only inside; nearly every server takes "_"."""
    name, label = what
    domain = domain_of_sender(peer)
    await open_controlled(peer, b"<a@a-b." + domain + b">")
    path = b"<a@" + label + domain + b">"
    answer = await peer.ask(MAIL + path)
    judgement = answer.expect("5yz", to=f"MAIL FROM:{printable(path)}")
    if name == "underscore" and judgement.did is Did.VIOLATED:
        return diverged(judgement.got, judgement.expected)
    return judgement


@case("smtp.addr.label-63")
async def labels_have_63_octets(peer: SmtpPeer) -> Judgement:
    """A label of 63 octets is lawful, and one of 64 is none."""
    domain = domain_of_sender(peer)
    await open_controlled(peer, b"<a@a-b." + domain + b">")
    longest, longer = (b"<a@" + b"a" * octets + b"." + domain + b">" for octets in (LABEL_OCTETS_MAX, 64))
    judgement = parsed(await peer.ask(MAIL + longest), "a label of 63 octets")
    if judgement.did is not Did.SATISFIED:
        return judgement
    await peer.control(b"RSET")
    answer = await peer.ask(MAIL + longer)
    return declined(f"{answer} to a label of 64 octets", "5yz") if answer.yes else satisfied(answer)


LITERALS: Final = {
    "v4-256": b"[256.1.1.1]", "v4-three": b"[1.2.3]", "v4-five": b"[1.2.3.4.5]", "empty": b"[]",
    "v6-long-group": b"[IPv6:12345::1]", "v6-seven": b"[IPv6:1:2:3:4:5:6:7]", "v6-two-gaps": b"[IPv6:1::2::3]",
}  # fmt: skip
LAWFUL_LITERAL: Final = b"<a@[192.0.2.1]>"


@case("smtp.addr.literal-range", variants=LITERALS)
async def no_address_no_literal(peer: SmtpPeer, literal: bytes) -> Judgement:
    """What stands in an address literal is an address."""
    await open_controlled(peer, LAWFUL_LITERAL)
    return (await peer.ask(MAIL + b"<a@" + literal + b">")).expect("5yz", to=literal.decode())


@case("smtp.addr.literal-range", variants={"v6-untagged": b"[2001:db8::1]"})
async def ipv6_has_its_tag(peer: SmtpPeer, literal: bytes) -> Judgement:
    """An IPv6 address literal says that it is one; without its tag it could be read as of a tag nobody knows."""
    await open_controlled(peer, LAWFUL_LITERAL)
    answer = await peer.ask(MAIL + b"<a@" + literal + b">")
    if not answer.yes:
        return answer.expect("5yz", to=literal.decode())
    await peer.control(b"RSET")
    if (await peer.ask(MAIL + b"<a@[x-mailproof:1]>")).yes:
        return declined(f"{answer} to {literal.decode()}, as to any tag", "5yz")
    return answer.expect("5yz", to=literal.decode())


FORMS: Final = (
    b"[IPv6:2001:db8:0:0:0:0:0:1]", b"[IPv6:2001:db8::1]", b"[IPv6:2001:DB8::A]", b"[ipv6:2001:db8::1]",
    b"[IPv6:::ffff:192.0.2.1]", b"[IPv6:0:0:0:0:0:ffff:192.0.2.1]",
)  # fmt: skip


@case("smtp.addr.literal-forms")
async def the_forms_of_literals_are_understood(peer: SmtpPeer) -> Judgement:
    """IPv6 addresses may be given in full, compressed, and with an IPv4 address at the end."""
    control = peer.another()
    await open_controlled(control, LAWFUL_LITERAL)      # a server may take no literals at all: another case's question
    return await all_parsed(peer, [b"<a@" + literal + b">" for literal in FORMS])


@case("smtp.addr.hash-literal")
async def a_number_is_no_host(peer: SmtpPeer) -> Judgement:
    """`#` and a number, as RFC 821 had it, is no domain any more."""
    return await refused(peer, b"<a@#123>")


async def seen(peer: SmtpPeer, path: bytes) -> Judgement:
    """Ask MAIL with a path that a server may treat as it likes."""
    await open_controlled(peer)
    answer = await peer.ask(MAIL + path)
    return observed(f"{answer} to MAIL FROM:{path.decode()}") if answer.reply is not None else undetermined(answer)


@case("smtp.addr.general-literal")
async def a_literal_of_an_unknown_tag(peer: SmtpPeer) -> Judgement:
    """What a server does with a literal whose tag nobody has registered is recorded."""
    return await seen(peer, b"<a@[x-mailproof:1]>")


@case("smtp.addr.single-label")
async def a_domain_without_a_dot(peer: SmtpPeer) -> Judgement:
    """What a server does with a domain of one label is recorded."""
    return await seen(peer, b"<a@localdomain>")


@case("smtp.addr.numeric-domain")
async def a_domain_of_digits(peer: SmtpPeer) -> Judgement:
    """What a server does with a domain of digits alone is recorded."""
    return await seen(peer, b"<a@123.456>")
