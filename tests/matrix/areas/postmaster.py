"""What the faults in who has to have a mailbox break."""

from msgspec.structs import replace as with_fields

from tests.matrix import laboratory

CASES = ("smtp.postmaster.", "smtp.role.")
CLAIMS = with_fields(laboratory.DECLARED.claims, postmaster_is_read=True)
DECLARED = with_fields(laboratory.DECLARED, claims=CLAIMS)

BREAKS = {
    "postmaster-needs-domain": {"smtp.postmaster.bare"},
    "postmaster-syntax": {"smtp.postmaster.bare"},
    "postmaster-lower-case": {
        "smtp.postmaster.bare-case#odd", "smtp.postmaster.bare-case#title", "smtp.postmaster.bare-case#upper",
    },
    "postmaster-two-cases": {"smtp.postmaster.bare-case#odd"},
    "postmaster-nowhere": {"smtp.postmaster.at-domain"},
    "postmaster-lower-case-at-domain": {
        "smtp.postmaster.at-domain-case#mixed", "smtp.postmaster.at-domain-case#upper",
    },
    "postmaster-not-from-nobody": {"smtp.postmaster.from-null"},
    "postmaster-discards": {"smtp.postmaster.delivered"},
    "abuse-unknown": {"smtp.role.abuse"},
}  # fmt: skip
