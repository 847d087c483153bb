"""The operator's errors: the only exceptions that reach the command line."""

from reports.exit_codes import ExitCode


class UserError(Exception):
    """The operator must act. The message is one clear sentence: what was got, and what is allowed."""

    exit_code: ExitCode = ExitCode.OPERATOR_ERROR


class DocumentError(UserError):
    """A result document could not be read: missing, not JSON, or not of a schema this version knows."""


class PreconditionFailed(UserError):
    """The server could not be measured at all: unreachable, or it lacks what the scenario needs."""

    exit_code = ExitCode.INCONCLUSIVE
