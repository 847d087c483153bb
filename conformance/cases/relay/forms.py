"""Forms of addresses in which somebody outside has been hidden: none of them opens a way (RFC 5321 §2.3.11, §3.6.2)."""

from dataclasses import dataclass
from typing import Final

from conformance.case import case
from conformance.cases.relay.probe import Whose, arrive, outside, own_domain, own_literal, pass_on
from conformance.judgement import Judgement, NotApplicable
from conformance.peer import SmtpPeer

RESERVED: Final = ("test", "invalid", "example", "localhost")      # RFC 2606 §2: what is made of them is reserved too


@dataclass(frozen=True, slots=True)
class Form:
    """How somebody outside is written. {u} and {e} are his local-part and domain, {l} and {a} the server's names."""

    path: str
    whose: Whose = Whose.OURS
    seen: bool = True        # what is sent on comes to the sink


# By the last part of the requirement's id; where that has several, by its variant.
FORMS: Final[dict[str, dict[str | None, Form]]] = {
    "percent":           {None: Form("{u}%{e}@{l}")},
    "percent-literal":   {None: Form("{u}%{e}@{a}", Whose.HERE)},
    "percent-only":      {None: Form("{u}%{e}")},
    "quoted-at":         {None: Form('"{u}@{e}"@{l}')},
    "quoted-whole":      {None: Form('"{u}@{e}"')},
    "quoted-percent":    {None: Form('"{u}%{e}"@{l}')},
    "double-at":         {None: Form("{u}@{e}@{l}")},
    "bang":              {
        "alone": Form("{e}!{u}"), "domain": Form("{e}!{u}@{l}"), "literal": Form("{e}!{u}@{a}", Whose.HERE),
    },
    "route":             {
        "domain": Form("@{l}:{u}@{e}", Whose.OUTSIDE), "literal": Form("@{a}:{u}@{e}", Whose.OUTSIDE),
    },
    "route-two-hops":    {None: Form("@{l},@other.example:{u}@{e}", Whose.OUTSIDE)},
    "trailing-dot":      {None: Form("{u}@{e}.", Whose.OUTSIDE)},
    "colon":             {None: Form("{e}:{u}")},
    "subdomain":         {None: Form("{u}@sub.{l}", seen=False)},
    "loopback-literal":  {"v4": Form("{u}@[127.0.0.1]", Whose.HERE), "v6": Form("{u}@[IPv6:::1]", Whose.HERE)},
    "control-nul":       {
        "nul": Form("{u}@{e}\0@{l}"), "nul-behind": Form("{u}@{l}\0@{e}"), "space": Form("{u}@{e} @{l}"),
    },
    "suffix-confusion":  {
        "longer": Form("{u}@{l}.{e}", Whose.OUTSIDE, False), "prefixed": Form("{u}@not{l}", Whose.OUTSIDE, False),
    },
}  # fmt: skip


def written(peer: SmtpPeer, form: Form) -> str:
    """Return a form with names in it."""
    local_part, domain = outside(peer)
    literal = own_literal(peer) if "{a}" in form.path else ""
    own = own_domain(peer)
    if "@sub." in form.path and peer.subject.declared.claims.serves_subdomains:
        raise NotApplicable("subdomains are the server's own (claims.serves_subdomains)")
    if "not{l}" in form.path and own.rpartition(".")[2].lower() not in RESERVED:
        raise NotApplicable(f"not{own} is no reserved name: it may be somebody's")
    return form.path.format(u=local_part, e=domain, l=own, a=literal)


def _register(name: str, forms: dict[str | None, Form]) -> None:
    """Register the cases on one requirement's forms."""
    if None in forms:
        only = forms[None]

        @case(f"relay.{name}")
        async def question(peer: SmtpPeer) -> Judgement:
            """No form of an address makes the server send on a stranger's mail."""
            await arrive(peer)
            return await pass_on(peer, written(peer, only), only.whose, seen=only.seen)
    else:

        @case(f"relay.{name}", variants={key or "": form for key, form in forms.items()})
        async def each(peer: SmtpPeer, form: Form) -> Judgement:
            """No form of an address makes the server send on a stranger's mail."""
            await arrive(peer)
            return await pass_on(peer, written(peer, form), form.whose, seen=form.seen)


for _name, _forms in FORMS.items():
    _register(_name, _forms)


def _mixed(text: str) -> str:
    """Return a text with every other letter in the other case."""
    return "".join(letter.swapcase() if at % 2 else letter for at, letter in enumerate(text))


# What is lawful in any case, and what no case can change (NUL, literals of loopback), is left out.
CASED: Final = {
    f"{name}-{key}" if key else name: form
    for name, forms in FORMS.items() if name not in {"control-nul", "loopback-literal", "subdomain"}
    for key, form in forms.items()
} | {"plain": Form("{u}@{e}", Whose.OUTSIDE)}  # fmt: skip


@case("relay.case", variants=CASED)
async def no_case_helps(peer: SmtpPeer, form: Form) -> Judgement:
    """No form of an address in mixed case makes the server send on a stranger's mail."""
    await arrive(peer)
    return await pass_on(peer, _mixed(written(peer, form)), form.whose, seen=form.seen)
