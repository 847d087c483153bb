"""What the readers record about octets that are not what the grammar says."""

from enum import StrEnum


class Deviation(StrEnum):
    """An octet-level departure: recorded, never repaired, and never an error by itself. Cases judge it."""

    BARE_LF = "bare-lf"  # a line ended by LF without CR (RFC 5321 §2.3.8)
    BARE_CR = "bare-cr"  # CR inside a line (RFC 5321 §2.3.8)
    NUL = "nul"  # octet 0
    CONTROL = "control"  # another control octet: textstring is HT, SP and %d33-126 (RFC 5321 §4.2)
    NON_ASCII = "non-ascii"  # an octet above 127; lawful only where SMTPUTF8 or LANG/UTF8 made it so
    OVER_LONG = "over-long"  # a line above 512 octets, CRLF included (RFC 5321 §4.5.3.1.5, RFC 2449 §4)
    BAD_CODE = "bad-code"  # no three digits, or not %x32-35 %x30-35 %x30-39 (RFC 5321 §4.2)
    BAD_SEPARATOR = "bad-separator"  # neither "-", SP nor the end of the line after the code (RFC 5321 §4.2)
    CHANGED_CODE = "changed-code"  # a code that changes between the lines of one reply (RFC 5321 §4.2.1)
    STATUS_CASE = "status-case"  # "+ok", "-err": the indicators are upper case (RFC 1939 §3)
    UNSTUFFED_DOT = "unstuffed-dot"  # a line that begins with one dot and is not the last (RFC 1939 §3)
