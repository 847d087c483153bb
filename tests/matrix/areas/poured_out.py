"""What an endless line of mail breaks."""

CASES = ("hard.endless-data-line",)

BREAKS = {
    "hard-chokes": {"core.survives-input#hard.endless-data-line", "hard.endless-data-line"},
}
