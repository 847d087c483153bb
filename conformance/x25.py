"""SMTP as over X.25 (RFC 1090), asked of a server over TCP: what `--profile rfc1090` changes beside the choice of rows.

Nobody has X.25 any more. Its timers, its packets and its line ends can be had without it.
"""

from typing import Final

PROFILE: Final = "rfc1090"
CALL_S: Final = 100.0                # §10.1: until the call is accepted
GREETING_S: Final = 120.0            # §10.1: and then until Service Ready
REPLY_S: Final = 600.0               # §10: how long any reply may take
AFTER_QUIT_S: Final = 20.0           # §10: how long the end may take
PACKET_OCTETS: Final = 2_048         # §4: never more in one
CASE_LIMIT_S: Final = 6 * REPLY_S    # a case may meet several such waits
