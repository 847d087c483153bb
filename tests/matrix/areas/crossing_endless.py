"""What a fault breaks that makes reading wait in vain: its case by itself, as all others are kept waiting."""

CASES = ("x.body.empty",)

BREAKS = {"x-empty-never-ends": {"x.body.empty"}}
