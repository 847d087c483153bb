"""What the faults of a server that greets with 554 break."""

CASES = ("smtp.greet.",)
CHOICES = {"refuses_service": 554}

BREAKS = {
    "no-service-goes": {"smtp.greet.554-waits-for-quit"},
    "no-service-goes-on-quit": {"smtp.greet.554-waits-for-quit"},
    "no-service-noop": {"smtp.greet.554-answers-503"},
    "no-service-ehlo": {"smtp.greet.554-answers-503"},
    "no-service-500": {"smtp.greet.554-answers-503"},
}
