"""HTML from strangers."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.catalog.texts import clean_html, name_key, plain_text

PIECES = [
    "<p>",
    "</p>",
    "<b>",
    "<a href='javascript:x'>",
    "</a>",
    "<script>",
    "</script>",
    "<table>",
    "<td>",
    "&lt;",
    "x",
    " & ",
    "<svg>",
    "<!--",
    "-->",
    "<img src=x onerror=y>",
]


@pytest.mark.parametrize(
    ("html", "clean"),
    [
        ("<p onclick='x()'>Hi</p>", "<p>Hi</p>"),
        ("Hi<script>alert(1)</script><style>p {}</style>", "Hi"),
        ("<a href='javascript:alert(1)'>x</a>", '<a rel="noopener noreferrer">x</a>'),
        ("<a href=' jAvA\tscript:alert(1)'>x</a>", '<a rel="noopener noreferrer">x</a>'),
        ("<a href='https://a.example/'>x</a>", '<a href="https://a.example/" rel="noopener noreferrer">x</a>'),
        ("<img src='data:text/html,x' onerror='x()'>", "<img>"),
        ("<img src='https://a.example/b.jpg' alt='b'>", '<img src="https://a.example/b.jpg" alt="b">'),
        ("<iframe src='https://a.example/'></iframe>after", "after"),
        ("<svg><script>alert(1)</script></svg>", ""),
        ("<p style='position:fixed'>x</p>", "<p>x</p>"),
        ("<form action='/x'><input><button>go</button></form>", "go"),
    ],
)
def test_html_is_made_harmless(html: str, clean: str) -> None:
    assert clean_html(html) == clean


@settings(max_examples=50, deadline=None)
@example("<a href='javascript:x'><table><a href='javascript:x'>")
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_cleaning_clean_html_changes_nothing(html: str) -> None:
    once = clean_html(html)
    assert clean_html(once) == once
    assert "<script" not in once
    assert "onerror" not in once


def test_plain_text_has_a_line_for_each_block() -> None:
    assert plain_text("<p>Soft &amp;  warm</p><ul><li>One</li><li>Two</li></ul>") == "Soft & warm\nOne\nTwo"


def test_names_sort_without_case_and_accents() -> None:
    assert sorted(["Zebra", "Élan", "apple", "Ärmel"], key=name_key) == ["apple", "Ärmel", "Élan", "Zebra"]
