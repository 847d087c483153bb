"""What is broken where connections hurt each other."""

CASES = ("hard.connection-limit", "hard.half-open", "hard.rst-storm")

BREAKS = {
    "hard-stalls-in-crowds": {"hard.connection-limit", "hard.half-open"},
    "hard-leaks": {"core.survives-input#hard.half-open", "core.survives-input#hard.rst-storm", "hard.rst-storm"},
    "hard-endless-patience": {"hard.half-open"},
}
