"""`--annotations`: whether what went wrong is also said to the CI system that runs the command."""

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from reports.annotations import github
from reports.document import Document


class Annotations(StrEnum):
    """To whom."""

    AUTO = "auto"           # to GitHub where it says that it runs us, as its own tools and most test runners do
    GITHUB = "github"
    NONE = "none"


AnnotationsOption = Annotated[
    Annotations,
    typer.Option("--annotations", help="Mark what failed for GitHub Actions; auto: where GITHUB_ACTIONS is true."),
]


def annotate(*documents: Document, wanted: Annotations, environ: Mapping[str, str] = os.environ) -> None:
    """Print the annotations of results, if they are wanted."""
    if wanted is Annotations.GITHUB or (wanted is Annotations.AUTO and environ.get("GITHUB_ACTIONS") == "true"):
        typer.echo(github(*documents), nl=False)
