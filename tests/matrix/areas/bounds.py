"""What is broken where nothing has an end."""

from dataclasses import replace

from tests.matrix import laboratory

CASES = (
    "hard.error-limit",
    "hard.rcpt-harvest",
    "hard.noop-idle",
    "hard.slow-",
    "hard.endless-line",
    "hard.endless-header",
    "hard.deep-mime",
)
LIMITS = replace(laboratory.LIMITS, message_octets=2_000_000, noops=500)

BREAKS = {
    "hard-endless-errors": {"hard.error-limit", "hard.rcpt-harvest"},
    "hard-endless-noops": {"hard.noop-idle"},
    "hard-endless-patience": {"hard.slow-command", "hard.slow-data"},
    "hard-any-line": {"hard.endless-line"},
    "hard-slow-header": {"hard.endless-header"},
    "hard-slow-mime": {"hard.deep-mime"},
}
