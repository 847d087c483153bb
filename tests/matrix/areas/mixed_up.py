"""What is broken where sessions know of each other."""

CASES = ("core.cross-session",)

BREAKS = {
    "hard-tells-of-others": {"core.cross-session#replies"},
    "hard-mixes": {"core.cross-session#messages"},
}
