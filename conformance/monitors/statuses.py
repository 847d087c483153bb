"""The registered enhanced status codes, without their class (RFC 5248 §2). A snapshot: the registry grows."""

from typing import Final

REGISTRY_DATE: Final = "2025-01"

# subject: how far its details run without a gap
_RUNS: Final = {
    0: (0,),                        # RFC 3463 §3.1
    1: range(11),                   # RFC 3463 §3.2, RFC 3886, RFC 7505 (10)
    2: range(5),                    # RFC 3463 §3.3
    3: range(7),                    # RFC 3463 §3.4, RFC 6710 (6)
    4: range(9),                    # RFC 3463 §3.5; 8: retry over IPv4
    5: range(7),                    # RFC 3463 §3.6, RFC 4954 §6 (6)
    6: range(12),                   # RFC 3463 §3.7, RFC 4468 (6), RFC 6531 §3.5 (7-10); 11 is in use
    7: range(31),                   # RFC 3463 §3.8, RFC 4954, 5248, 6710, 7293, 7372, 7505, 8617, 8689 (30)
}
REGISTERED: Final[frozenset[tuple[int, int]]] = frozenset(
    (subject, detail) for subject, details in _RUNS.items() for detail in details
)
