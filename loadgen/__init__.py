"""Drive mail servers: scenario, schedule, sessions, engine. `ARCHITECTURE.md` gives the reading order."""
