"""The table of conformance results as one page: no script, nothing fetched, fit to be attached to a ticket."""

from markupsafe import Markup

from reports.cases import MEANINGS
from reports.matrix import NOT_ASKED, Matrix
from reports.page import CASE_MARKS, CASE_SIGNS, environment, style_of


def matrix_html(table: Matrix, title: str, version: str) -> str:
    """Return the page. Each verdict has a sign and a word, and a colour that tells nothing besides."""
    pages = environment()
    counted = {verdict for server in table.servers for verdict in server.counts}
    return pages.get_template("matrix.html.j2").render(
        table=table,
        title=title,
        shown=sum(len(group.rows) for group in table.groups),
        style=Markup(style_of(pages)),  # noqa: S704 - our own file
        marks=CASE_MARKS,
        meanings={**MEANINGS, NOT_ASKED: "this run did not ask"},
        used=[verdict for verdict in CASE_SIGNS if verdict in counted],
        made_by=version,
    )
