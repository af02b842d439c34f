"""Names and texts: translated, sorted by, and cleaned."""

import unicodedata
from collections.abc import Sequence
from html.parser import HTMLParser
from operator import attrgetter
from typing import Any

import nh3

ALLOWED_TAGS = nh3.ALLOWED_TAGS - {"form", "input", "button", "iframe", "style", "svg", "math"}

MAX_ROUNDS = 10


def translated(row: Any, name: str, language: str) -> str:
    """The column in that language where there is a translation, else as it is."""
    translations = row.translations
    if translations:
        value = (translations.get(language) or {}).get(name)
        if value:
            return str(value)
    text: str = getattr(row, name)
    return text


def translated_each(rows: Sequence[Any], name: str, language: str) -> list[str]:
    """The column of each row, as `translated`."""
    if any(row.translations for row in rows):
        return [translated(row, name, language) for row in rows]
    return list(map(attrgetter(name), rows))


def translated_term(translations: dict[str, Any] | None, term: str, language: str) -> str:
    """A short text in that language: `translations` has {"de": {"terms": {"Color": "Farbe"}}}.

    A product's terms are its options' names and values, its tags and its images' alternative texts; an attribute's
    are its values.
    """
    terms = (translations or {}).get(language, {}).get("terms", {})
    return str(terms.get(term, term))


def translated_alt(alt: str, product: Any, language: str) -> str:
    """An image's alternative text: the product's name where it says just that, else one of the product's terms."""
    if alt == product.name:
        return translated(product, "name", language)
    return translated_term(product.translations, alt, language)


def name_key(name: str) -> str:
    """What names are sorted by: without case and accents, the same on every machine."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))[:255]


def clean_html(html: str) -> str:
    """HTML that is safe to show: scripts, styles, event handlers and odd addresses are gone."""
    for _ in range(MAX_ROUNDS):
        cleaned = nh3.clean(html, tags=ALLOWED_TAGS, url_schemes={"http", "https", "mailto", "tel"})
        if cleaned == html:
            return html
        # Broken nesting is mended a little at each reading; what is stored must not change when it is read again.
        html = cleaned
    return nh3.clean(html, tags=set())


class _Text(HTMLParser):
    BREAKS = frozenset({"br", "p", "div", "li", "h1", "h2", "h3", "h4", "h5", "h6", "tr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in self.BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.BREAKS:
            self.parts.append("\n")


def plain_text(html: str) -> str:
    """The words of some (clean) HTML, one line a block."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).splitlines())
    return "\n".join(line for line in lines if line)
