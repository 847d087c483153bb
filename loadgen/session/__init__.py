"""One coroutine per kind of session. Each returns an Outcome and records nothing."""
