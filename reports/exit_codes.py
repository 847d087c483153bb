"""What the process says when it ends. Named once; `DESIGN` and the README list the same numbers."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of every `mailproof` command."""

    HELD = 0
    FAILED = 1            # a gate or a case failed
    OPERATOR_ERROR = 2    # a typo, a missing file, a wrong password: the operator must act
    INCONCLUSIVE = 3      # generator saturated, server unreachable, no data: never a pass
    OUR_BUG = 4
    INTERRUPTED = 130     # 128 + SIGINT
