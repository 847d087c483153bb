"""When arrivals are intended and what each does: pure functions of the scenario and its seed."""
