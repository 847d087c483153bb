"""The one error of the catalogue."""

from reports.errors import UserError
from reports.exit_codes import ExitCode


class CatalogueError(UserError):
    """The installed catalogue cannot be used: a file is missing, broken, or contradicts another."""

    exit_code = ExitCode.OUR_BUG
