"""An OAuth 2 provider of our own, by Authlib: PKCE is asked for and checked, codes are good once.

    python -m tests.social.provider

The first line of its output is its address. It answers as Google (`/userinfo`) and as GitHub (`/user`, `/user/emails`)
do. Who is signed in there is told by `login_hint` of the authorization request, as no person is there to ask;
`PUT /_control/people/<name>` says what it knows of them, and `POST /_control/broken` breaks its answers.
"""

import os
import secrets
from dataclasses import dataclass
from typing import Any, cast

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http, on this machine alone

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, TokenMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

SECRET = "the-shops-secret"
KEPT = "codes-are-kept"
"""A client whose codes are good again and again, for tests that send one request twice."""


@dataclass
class Client(ClientMixin):  # type: ignore[misc]
    client_id: str

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.startswith("https://shop.example/")

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, SECRET)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_post"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    client_id: str
    person: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class Token(TokenMixin):  # type: ignore[misc]
    person: str
    scope: str

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False

    def get_scope(self) -> str:
        return self.scope


PEOPLE: dict[str, dict[str, Any]] = {}
CODES: dict[str, Code] = {}
TOKENS: dict[str, Token] = {}
BROKEN: dict[str, str] = {}


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]

    def save_authorization_code(self, code: str, request: Any) -> None:
        sent = request.payload.data
        CODES[code] = Code(
            client_id=request.client.client_id,
            person=request.user,
            redirect_uri=sent["redirect_uri"],
            scope=sent.get("scope", ""),
            code_challenge=sent["code_challenge"],
            code_challenge_method=sent["code_challenge_method"],
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found = CODES.get(code)
        return found if found is not None and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        if authorization_code.client_id != KEPT:
            for code in [each for each, kept in CODES.items() if kept is authorization_code]:
                del CODES[code]

    def authenticate_user(self, authorization_code: Code) -> str:
        return authorization_code.person


class Validator(BearerTokenValidator):  # type: ignore[misc]
    TOKEN_TYPE = "bearer"

    def authenticate_token(self, token_string: str) -> Token | None:
        return TOKENS.get(token_string)


class GitHubsValidator(Validator):
    TOKEN_TYPE = "token"


def save_token(token: dict[str, Any], request: Any) -> None:
    TOKENS[token["access_token"]] = Token(request.user, token.get("scope", ""))


app = Flask(__name__)
server = AuthorizationServer(app, query_client=Client, save_token=save_token)
server.register_grant(CodeGrant, [CodeChallenge(required=True)])
signed_in = ResourceProtector()
signed_in.register_token_validator(Validator())
signed_in.register_token_validator(GitHubsValidator())


@app.before_request
def break_things() -> Response | None:
    how = BROKEN.get(request.path)
    if how is None:
        return None
    return Response("<html>", status=500) if how == "ERROR_500" else Response(how, content_type="application/json")


@app.get("/authorize")
def authorize() -> Any:
    person = request.args["login_hint"]
    return server.create_authorization_response(grant_user=person, grant=server.get_consent_grant(end_user=person))


@app.post("/token")
def token() -> Any:
    return server.create_token_response()


def _person() -> dict[str, Any]:
    return PEOPLE[cast(Token, current_token).person]


@app.get("/userinfo")
@app.get("/user")
@signed_in()  # type: ignore[untyped-decorator]
def user() -> Any:
    return jsonify({name: value for name, value in _person().items() if name != "emails"})


@app.get("/user/emails")
@signed_in("user:email")  # type: ignore[untyped-decorator]
def emails() -> Any:
    return jsonify(_person()["emails"])


@app.put("/_control/people/<name>")
def know(name: str) -> Any:
    PEOPLE[name] = request.get_json()
    return jsonify(None)


@app.post("/_control/broken")
def be_broken() -> Any:
    BROKEN.clear()
    BROKEN.update(request.get_json())
    return jsonify(None)


if __name__ == "__main__":
    door = make_server("127.0.0.1", 0, app, threaded=True)
    print(f"http://127.0.0.1:{door.server_port}", flush=True)
    door.serve_forever()
