"""Trusted documents: manifests are loaded or refused, and the modes decide what runs."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_redis import get_redis_connection

from schema.server import persisted
from schema.server.documents import documents, sha256
from schema.server.persisted_store import all_trusted, store, trusted_key
from tests.conftest import Gql
from tests.schema.server.sockets import converse, subscribe
from tests.schema.server.test_persisted import NOT_FOUND, TRANSPORTS, Ask, apq, keys
from tests.schema.server.test_refusals import STREAM, codes

TEXT = "query ShopName {\n  shop {\n    name\n  }\n}"
OTHER = "query Other { __typename }"
WRONG = "query Wrong {\n  shop {\n    nothing\n  }\n}"
DATA = {"shop": {"name": "Cartograph"}}
SHA1 = hashlib.sha1(TEXT.encode()).hexdigest()
Load = Callable[..., str]


def apollo(*texts: str, **ids: str) -> dict[str, Any]:
    given = {**{sha256(text): text for text in texts}, **ids}
    operations = [
        {"id": id, "name": f"N{n}", "type": "query", "body": text} for n, (id, text) in enumerate(given.items())
    ]
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a manifest; what the command prints."""

    def run(manifest: Any, *options: str) -> str:
        file, printed = tmp_path / "manifest.json", StringIO()
        file.write_text(manifest if isinstance(manifest, str) else json.dumps(manifest), encoding="utf-8")
        call_command("documents", "load", str(file), *options, stdout=printed)
        return printed.getvalue()

    return run


@pytest.mark.parametrize(
    ("manifest", "id"),
    [
        (apollo(TEXT), sha256(TEXT)),
        (apollo(shop=TEXT), "shop"),
        ({SHA1: TEXT}, SHA1),
        ({f"sha256:{sha256(TEXT)}": TEXT}, f"sha256:{sha256(TEXT)}"),
        ({hashlib.md5(TEXT.encode()).hexdigest(): TEXT}, hashlib.md5(TEXT.encode()).hexdigest()),
    ],
)
@pytest.mark.parametrize("mode", ["open", "prefer", "only"])
@TRANSPORTS
def test_what_a_manifest_holds_runs_by_id_and_hash(
    http: Any, load: Load, settings: Any, ask: Ask, mode: str, manifest: Any, id: str
) -> None:
    settings.DOCUMENTS_MODE = mode
    assert load(manifest) == "Loaded 1 documents.\n"
    for body in (
        {"documentId": id},
        {"documentId": f"sha256:{sha256(TEXT)}"},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": id}}},
        apq(TEXT),
        apq(TEXT, full=True),
        {"query": TEXT},
    ):
        documents.clear()
        assert ask(http, body)["data"] == DATA
        assert ask(http, body)["data"] == DATA


@pytest.mark.parametrize("mode", ["open", "prefer", "only"])
@TRANSPORTS
def test_an_unknown_id_is_not_found(http: Any, load: Load, settings: Any, ask: Ask, mode: str) -> None:
    settings.DOCUMENTS_MODE = mode
    ask(http, {"query": OTHER})
    for id in ("unknown", sha256(OTHER), "sha256:" + sha256(OTHER)):
        assert ask(http, {"documentId": id})["errors"] == [NOT_FOUND]


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": ""},
        {"documentId": "sha256:"},
        {"documentId": "x" * 300},
        {"documentId": "x", "query": TEXT},
        {"documentId": sha256(TEXT), **apq(TEXT)},
    ],
)
def test_an_id_beside_a_text_or_none_at_all_is_refused(http: Any, body: dict[str, Any]) -> None:
    for headers in ({}, STREAM):
        answer = http("POST", "/graphql", json=body, headers=headers)
        assert (answer.status_code, codes(answer.json()["errors"])) == (400, {"BAD_USER_INPUT"})
    [said] = converse(subscribe(body), answers=1)
    assert (said["type"], codes(said["payload"])) == ("error", {"BAD_USER_INPUT"})


def test_an_id_of_the_wrong_type_is_refused(http: Any) -> None:
    answer = http("POST", "/graphql", json={"documentId": 5})
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, "documentId has the wrong type.")
    assert converse(subscribe({"documentId": 5}), answers=1) == [{"close": 4400}]


@TRANSPORTS
def test_in_only_mode_nothing_else_runs_nor_is_kept_nor_parsed(
    http: Any, load: Load, settings: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DOCUMENTS_MODE = "only"
    load(apollo(TEXT))
    monkeypatch.setattr("schema.server.documents.parse", None)
    for body in ({"query": OTHER}, apq(OTHER, full=True), {"query": TEXT + " "}, {"query": "{"}):
        assert codes(ask(http, body)["errors"]) == {"DOCUMENT_NOT_TRUSTED"}
    assert ask(http, apq(OTHER))["errors"] == [NOT_FOUND]
    assert len(keys()) == 1
    assert len(documents) == 0


@TRANSPORTS
def test_what_was_registered_before_does_not_run_in_only_mode(http: Any, settings: Any, ask: Ask) -> None:
    assert ask(http, apq(OTHER, full=True))["data"]
    settings.DOCUMENTS_MODE = "only"
    assert ask(http, apq(OTHER))["errors"] == [NOT_FOUND]
    assert codes(ask(http, {"query": OTHER})["errors"]) == {"DOCUMENT_NOT_TRUSTED"}
    documents.clear()
    assert ask(http, apq(OTHER))["errors"] == [NOT_FOUND]


@TRANSPORTS
def test_in_prefer_mode_what_no_manifest_holds_runs_and_is_told_once(
    http: Any, load: Load, settings: Any, ask: Ask, caplog: Any
) -> None:
    settings.DOCUMENTS_MODE = "prefer"
    load(apollo(TEXT))
    for _ in range(3):
        assert ask(http, {"query": TEXT})["data"] == DATA
        assert ask(http, {"documentId": sha256(TEXT)})["data"] == DATA
    assert caplog.text == ""
    for body in ({"query": OTHER}, apq(OTHER, full=True), apq(OTHER)):
        assert ask(http, body)["data"] == {"__typename": "Query"}
    [record] = caplog.records
    assert record.getMessage() == f"Not a trusted document: Other (sha256 {sha256(OTHER)})"


@pytest.mark.parametrize("mode", ["prefer", "only"])
def test_what_is_known_asks_nobody(http: Any, load: Load, settings: Any, mode: str, monkeypatch: Any) -> None:
    settings.DOCUMENTS_MODE = mode
    load(apollo(TEXT))
    bodies: list[dict[str, Any]] = [{"query": TEXT}, {"documentId": sha256(TEXT)}, apq(TEXT)]
    if mode == "prefer":
        bodies += [{"query": OTHER}, apq(OTHER, full=True), apq(OTHER)]
    for body in bodies:
        assert http("POST", "/graphql", json=body).json()["data"]
    monkeypatch.setattr(store, "_connected", None)
    for body in bodies:
        assert http("POST", "/graphql", json=body).json()["data"]


def test_what_is_taken_back_ends_within_a_minute(http: Any, load: Load, settings: Any, monkeypatch: Any) -> None:
    settings.DOCUMENTS_MODE = "only"
    time = [1000.0]
    monkeypatch.setattr(persisted, "now", lambda: time[0])
    bodies: list[dict[str, Any]] = [{"documentId": "shop"}, {"query": TEXT}, apq(TEXT)]
    load({"shop": TEXT})
    for body in bodies:
        assert http("POST", "/graphql", json=body).json()["data"] == DATA
    load({"shop": OTHER}, "--replace")
    time[0] += persisted.RECHECK_S - 1
    for body in bodies:
        assert http("POST", "/graphql", json=body).json()["data"] == DATA
    time[0] += 1
    assert http("POST", "/graphql", json=bodies[0]).json()["data"] == {"__typename": "Query"}
    assert codes(http("POST", "/graphql", json=bodies[1]).json()["errors"]) == {"DOCUMENT_NOT_TRUSTED"}
    assert http("POST", "/graphql", json=bodies[2]).json()["errors"] == [NOT_FOUND]


@TRANSPORTS
def test_without_redis_what_was_trusted_stays_so_and_nothing_else_is(
    http: Any, load: Load, settings: Any, ask: Ask, monkeypatch: Any
) -> None:
    settings.DOCUMENTS_MODE = "only"
    time = [1000.0]
    monkeypatch.setattr(persisted, "now", lambda: time[0])
    load(apollo(TEXT))
    bodies: list[dict[str, Any]] = [{"documentId": sha256(TEXT)}, {"query": TEXT}, apq(TEXT)]
    for body in bodies:
        assert ask(http, body)["data"] == DATA
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    time[0] += persisted.RECHECK_S + 1
    for body in bodies:
        assert ask(http, body)["data"] == DATA
    documents.clear()
    assert ask(http, bodies[0])["errors"] == [NOT_FOUND]
    assert codes(ask(http, bodies[1])["errors"]) == {"DOCUMENT_NOT_TRUSTED"}
    assert ask(http, bodies[2])["errors"] == [NOT_FOUND]
    settings.DOCUMENTS_MODE = "prefer"
    assert ask(http, bodies[1])["data"] == DATA


def test_trusted_documents_do_not_expire(load: Load) -> None:
    load(apollo(TEXT))
    assert get_redis_connection("default").ttl(trusted_key()) == -1


def test_loading_adds_and_replacing_forgets(load: Load) -> None:
    load({"a": TEXT})
    load({"b": OTHER, "a": TEXT})
    assert set(all_trusted()) == {"a", "b", sha256(TEXT), sha256(OTHER)}
    printed = StringIO()
    call_command("documents", "list", stdout=printed)
    assert printed.getvalue().split() == sorted(all_trusted())
    load({"b": TEXT}, "--replace")
    assert all_trusted() == {"b": TEXT, sha256(TEXT): TEXT}


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"good": TEXT, "bad": WRONG}, "Wrong (bad), line 3: Cannot query field 'nothing' on type 'Shop'."),
        (apollo(TEXT, bad=WRONG), "N1 (bad), line 3: Cannot query field 'nothing' on type 'Shop'."),
        ({"bad": "query Broken {\n  shop {"}, "Broken (bad), line 2: Syntax Error: Expected Name, found <EOF>."),
        ({"bad": "\n{ nothing }"}, "An operation without a name (bad), line 2: Cannot query field 'nothing'"),
        ({"bad": "fragment F on Shop { name }"}, "(bad), line 1: "),
        ({"bad": ""}, "(bad), line 1: No GraphQL query found"),
        ({"bad": f"query Wide {{ {' '.join(f'a{n}: __typename' for n in range(31))} }}"}, "Wide (bad), line 1: This"),
        ({"sha256:" + "0" * 64: TEXT}, "has the hash of another text as its id"),
        ({"": TEXT}, "has no id of 1 to 256 characters"),
        ({"x" * 257: TEXT}, "has no id of 1 to 256 characters"),
        ({"a": 1}, "operation 'a' has no text"),
        ('{"a": "{ __typename }", "a": "{ shop { name } }"}', "'a' stands in it twice"),
        ([], "no manifest"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        (f'{{"a": {"1" * 5000}}}', "no JSON"),
        ('{"a": "{ __typename } # \\ud83d"}', "operation 'a' has half a surrogate pair"),
        ('{"\\ud83d": "{ __typename }"}', "operation '\\ud83d' has half a surrogate pair"),
        ({**apollo(), "version": 2}, "not of the format apollo-persisted-query-manifest, version 1"),
        ({**apollo(), "operations": [1]}, "`operations` is no list of operations"),
        ({"operations": [{"id": "a", "body": TEXT}]}, "not of the format"),
        ({**apollo(), "operations": [{"id": "a", "name": "A"}]}, "operation 'A' has no text"),
        ({**apollo(), "operations": [{"name": "A", "body": TEXT}]}, "operation 'A' has no id"),
        (
            {**apollo(), "operations": [{"id": "a", "body": TEXT}, {"id": "a", "body": OTHER}]},
            "Other (a), line 1: Another document of the manifest has this id.",
        ),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_by_operation_and_line_and_nothing_is_loaded(
    load: Load, manifest: Any, message: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        load(manifest)
    assert message in str(refusal.value)
    assert keys() == []


def test_a_byte_order_mark_before_a_manifest_does_no_harm(load: Load) -> None:
    assert load("\ufeff" + json.dumps(apollo(shop=TEXT))) == "Loaded 1 documents.\n"


def test_an_id_that_names_another_text_already_is_refused(load: Load) -> None:
    load({"a": TEXT})
    with pytest.raises(CommandError, match=r"Other \(a\), line 1: Another document was loaded under this id before"):
        load({"b": OTHER, "a": OTHER})
    assert set(all_trusted()) == {"a", sha256(TEXT)}


def test_loading_says_when_the_file_or_redis_is_away(load: Load, settings: Any) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("documents", "load", "/nowhere.json")
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    with pytest.raises(CommandError, match="Redis does not answer"):
        load(apollo(TEXT))


def test_a_trusted_document_that_no_longer_fits_is_refused_as_any(gql: Gql, http: Any) -> None:
    get_redis_connection("default").hset(trusted_key(), "old", WRONG)
    answer = http("POST", "/graphql", json={"documentId": "old"}).json()
    assert answer["errors"] == gql(WRONG).errors
    asyncio.run(store.close())
