"""GraphQL over HTTP: statuses, codes, limits, context."""

from typing import Any

import pytest

from backend.core.context import default_context
from tests.conftest import Gql


@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
def test_both_spellings_of_the_path_answer(http: Any, path: str) -> None:
    assert http("POST", path, json={"query": "{ __typename }"}).json() == {"data": {"__typename": "Query"}}


def test_queries_may_come_by_get_and_mutations_may_not(http: Any) -> None:
    assert http("GET", "/graphql", params={"query": "{ __typename }"}).json() == {"data": {"__typename": "Query"}}
    refused = http(
        "GET", "/graphql", params={"query": 'mutation { cartClear(input: { cartId: "x" }) { cart { id } } }'}
    )
    assert refused.status_code == 405
    assert refused.json()["errors"][0]["extensions"]["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("body", "status"),
    [("{", 400), ("[]", 400), ("{}", 400), ("null", 400), ('"x"', 400), ('{"query": 1}', 400), ("\x00", 400)],
)
def test_what_is_no_request_is_refused_with_a_code(http: Any, body: str, status: int) -> None:
    answer = http("POST", "/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_simple_content_types_are_refused(http: Any) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = http("POST", "/graphql", content='{"query": "{ __typename }"}', headers={"content-type": kind})
        assert answer.status_code == 415


def test_a_body_over_the_limit_is_refused(http: Any, settings: Any) -> None:
    settings.GRAPHQL_MAX_BODY_BYTES = 100
    answer = http("POST", "/graphql", json={"query": "{ __typename }", "variables": {"a": "x" * 200}})
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "PAYLOAD_TOO_LARGE"


def test_other_methods_are_refused(http: Any) -> None:
    answer = http("DELETE", "/graphql")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


def test_unknown_fields_and_wrong_variables_are_bad_input(gql: Gql) -> None:
    assert gql("{ nothing }").codes == ["BAD_USER_INPUT"]
    assert gql("query ($n: Int) { products(first: $n) { nodes { id } } }", n="many").codes == ["BAD_USER_INPUT"]
    assert gql("{ products(first: -1) { nodes { id } } }").codes == ["BAD_USER_INPUT"]


def test_a_document_that_goes_too_deep_is_refused(gql: Gql) -> None:
    deep = "{ categories { nodes " + "{ children " * 15 + "{ id }" + " }" * 15 + " } }"
    assert gql(deep).codes == ["QUERY_TOO_COMPLEX"]


def test_a_bug_is_masked_and_named_in_the_log(gql: Gql, monkeypatch: Any, caplog: Any) -> None:
    def explode(**_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("schema.catalog.queries.queries.find_product", explode)
    answer = gql('{ product(slug: "x") { id } }')
    assert answer.codes == ["INTERNAL"]
    assert "secret" not in str(answer.errors)
    assert answer.errors[0]["extensions"]["errorId"] in caplog.text
    assert "a secret" in caplog.text


def test_in_context_chooses_and_the_shops_defaults_hold_without_it(gql: Gql) -> None:
    query = "query ($c: CurrencyCode) @inContext(language: DE, currency: $c) { shop { currencies { name } } }"
    assert gql(query, c="EUR").data["shop"]["currencies"][1]["name"] == "Euro"
    assert gql(query, c="EUR").data["shop"]["currencies"][0]["name"] == "US-Dollar"
    assert gql("{ shop { currencies { name } } }").data["shop"]["currencies"][0]["name"] == "US Dollar"
    assert default_context().currency == "USD"


def test_a_currency_without_prices_is_refused_and_an_unknown_language_is_not(gql: Gql) -> None:
    assert gql("query @inContext(currency: JPY) { __typename }").codes == ["BAD_USER_INPUT"]
    assert gql("query @inContext(language: FR) { __typename }").data == {"__typename": "Query"}


def test_node_finds_nothing_for_what_is_no_id(gql: Gql) -> None:
    for broken in ("", "x", "UHJvZHVjdDo5OTk5", "é", "UHJvZHVjdDphYmM", "T3JkZXI6MQ"):
        assert gql("query ($id: ID!) { node(id: $id) { id } }", id=broken).data == {"node": None}
    assert gql("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * 101).codes == ["BAD_USER_INPUT"]


def test_the_page_is_served_to_browsers_with_its_own_assets(http: Any) -> None:
    page = http("GET", "/graphql", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "Cartograph GraphiQL" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert http("GET", "/graphql/assets/app.js").status_code == 200
    assert http("GET", "/graphql/assets/%2e%2e/index.html").status_code == 404
    assert http("GET", "/graphql/assets/nothing.js").status_code == 404


def test_answers_name_the_request_and_are_not_kept(http: Any) -> None:
    answer = http("POST", "/graphql", json={"query": "{ __typename }"})
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
