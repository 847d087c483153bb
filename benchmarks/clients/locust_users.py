"""A Locust file: users that send by smtplib, a session for each message, timed as Locust wants it.

Its command line gives the users; MESSAGES, OCTETS and PORT come from the environment. It quits when all are sent.
"""

import json
import os
import smtplib
import time

import gevent
from locust import User, constant, task

from benchmarks.clients.mail import RECIPIENT, SENDER, mail_of

PORT, MESSAGES, OCTETS = (int(os.environ[name]) for name in ("PORT", "MESSAGES", "OCTETS"))
MAIL = mail_of(OCTETS)


class Progress:
    """How many were begun and done, and when the first began."""

    begun = 0
    done = 0
    wall_s = 0.0
    cpu_s = 0.0


class Sender(User):  # type: ignore[misc]   # Locust is not in the environment that is type-checked
    """One virtual user."""

    wait_time = constant(0)

    @task  # type: ignore[untyped-decorator]
    def send(self) -> None:
        """Send one message and report it to Locust."""
        if Progress.begun == MESSAGES:
            time.sleep(0.1)
            return
        if not Progress.begun:
            Progress.wall_s, Progress.cpu_s = time.perf_counter(), time.process_time()
        Progress.begun += 1
        began_s = time.perf_counter()
        failure = None
        try:
            with smtplib.SMTP("127.0.0.1", PORT, "mailproof.invalid") as session:
                session.sendmail(SENDER, [RECIPIENT], MAIL)
        except (OSError, smtplib.SMTPException) as error:
            failure = error
        milliseconds = (time.perf_counter() - began_s) * 1000
        self.environment.events.request.fire(
            request_type="SMTP", name="deliver", response_time=milliseconds, response_length=0, exception=failure
        )
        Progress.done += failure is None
        if Progress.done == MESSAGES:
            wall_s, cpu_s = time.perf_counter() - Progress.wall_s, time.process_time() - Progress.cpu_s
            print(json.dumps({"messages": Progress.done, "wall_s": wall_s, "cpu_s": cpu_s}), flush=True)
            gevent.spawn(self.environment.runner.quit)      # not by this user: quitting ends the users first
