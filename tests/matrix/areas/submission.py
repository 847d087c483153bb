"""What the faults of a submission server break."""

from msgspec.structs import replace as with_fields

from conformance.declared import Session
from tests.matrix import laboratory

CASES = ("submit.",)
CHOICES = {"login_required": True}
DECLARED = with_fields(
    laboratory.DECLARED,
    session=Session(login=True),
    claims=with_fields(laboratory.DECLARED.claims, submission=True, no_trusted_networks=True),
)

BREAKS = {
    "submit-hides-auth": {"submit.auth-offered"},
    "submit-takes-strangers": {"submit.unauth-530#foreign", "submit.unauth-530#own"},
    "submit-no-notices": {"submit.null-path-ok"},
    "submit-unqualified-senders": {"submit.fqdn#sender"},
    "submit-unqualified-recipients": {"submit.fqdn#recipient"},
    "submit-any-sender": {"submit.sender-spoof"},
    "submit-550": {"submit.bad-syntax#no-domain", "submit.bad-syntax#no-local-part", "submit.bad-syntax#space"},
    "submit-etrn": {"submit.no-etrn"},
    "submit-no-pipelining": {"submit.pipelining"},
    "submit-no-esc": {"submit.esc"},
    "submit-no-dsn": {"submit.dsn"},
    "submit-no-8bitmime": {"submit.8bitmime"},
    "submit-no-id": {"submit.adds-message-id"},
    "submit-no-starttls": {"submit.starttls-587"},
    "tls-promised": {"submit.no-broken-starttls"},
}
