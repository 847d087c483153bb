"""The keywords that EHLO may list, from a dated copy of the registry (RFC 5321 §2.2.2)."""

from functools import cache

from msgspec import Struct

from conformance.catalogue.load import DATA, read_data


class EhloKeywords(Struct, frozen=True, forbid_unknown_fields=True):
    """What was registered on a day. Nothing can be said of what was registered since."""

    as_of: str                   # year, month, day
    keywords: dict[str, str]     # in capitals, with what defines each

    def knows(self, keyword: str) -> bool:
        """Say whether a keyword, in capitals, is registered, or private by its X."""
        return keyword.startswith("X") or keyword in self.keywords


@cache
def ehlo_keywords() -> EhloKeywords:
    """Return the keywords. CatalogueError if the data are broken."""
    return read_data(DATA / "ehlo-keywords.toml", EhloKeywords)
