"""Access tokens that were forged, changed or outlived are refused."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from backend.accounts import keys, tokens
from backend.accounts.models import Session, User
from backend.accounts.tokens import Grants, TokenRefused
from backend.core import clock
from backend.core.caller import Role

GRANTS = Grants(3, frozenset({Role.CUSTOMER, Role.SUPPORT}), frozenset({"orders.view_order"}), is_superuser=False)


def issue() -> str:
    return tokens.issue(User(pk=7), Session(pk=uuid4()), GRANTS)[0]


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def signed(claims: dict[str, Any], **header: Any) -> str:
    key = keys.signing_key()
    return jwt.encode(claims, key.private, "HS256", headers={"kid": key.kid, **header})


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_a_token_says_what_was_put_into_it_and_no_more() -> None:
    token = issue()
    read = tokens.read(token)
    assert (read.user_id, read.grants, read.is_staff) == (7, GRANTS, True)
    assert set(claims_of(token)) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "rv", "roles", "extra"}
    assert len({claims_of(issue())["jti"] for _ in range(5)}) == 5


def unsigned(token: str) -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': keys.signing_key().kid})}.{token.split('.')[1]}."


def changed(token: str) -> str:
    head, _, tail = token.split(".")
    return f"{head}.{part({**claims_of(token), 'sub': '1'})}.{tail}"


FORGED = {
    "alg none": unsigned,
    "changed claims": changed,
    "no signature": lambda token: token.rpartition(".")[0] + ".",
    "another key": lambda token: jwt.encode(
        claims_of(token), "x" * 32, "HS256", headers={"kid": keys.signing_key().kid}
    ),
    "another algorithm": lambda token: jwt.encode(
        claims_of(token), keys.signing_key().private, "HS512", headers={"kid": keys.signing_key().kid}
    ),
    "unknown kid": lambda token: signed(claims_of(token), kid="other"),
    "no kid": lambda token: jwt.encode(claims_of(token), keys.signing_key().private, "HS256"),
    "kid of another type": lambda token: f"{part({'alg': 'HS256', 'kid': ['a']})}.{token.partition('.')[2]}",
    "key in its header": lambda token: jwt.encode(
        claims_of(token), "y" * 32, "HS256", headers={"kid": "y", "jwk": {"kty": "oct", "k": "eXk"}}
    ),
    "wrong audience": lambda token: signed({**claims_of(token), "aud": "elsewhere"}),
    "wrong issuer": lambda token: signed({**claims_of(token), "iss": "https://elsewhere.example"}),
    "from the future": lambda token: signed({**claims_of(token), "iat": clock.now().timestamp() + 60}),
    "times that are none": lambda token: signed({**claims_of(token), "exp": True}),
    "a role that is none": lambda token: signed({**claims_of(token), "roles": ["KING"]}),
    "roles that are none": lambda token: signed({**claims_of(token), "roles": 5}),
    "sid that is none": lambda token: signed({**claims_of(token), "sid": "x"}),
    "deep header": lambda _: part([]) and base64.urlsafe_b64encode(b"[" * 2500).decode() + ".e30.x",
    "long": lambda token: token + "A" * 5000,
    "empty": lambda _: "",
    "no token": lambda _: "hello",
    "not text": lambda _: "\udcff.\x00.é",
    **{
        f"without {name}": lambda token, name=name: signed(
            {key: value for key, value in claims_of(token).items() if key != name}
        )
        for name in ("exp", "iat", "sub", "sid", "jti", "aud", "iss", "rv", "roles")
    },
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_token_is_refused(forge: Any) -> None:
    with pytest.raises(TokenRefused) as refusal:
        tokens.read(forge(issue()))
    assert refusal.value.reason == "TOKEN_INVALID"


def test_a_token_ends_after_its_minutes_and_the_leeway(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    token, moment = issue(), clock.now()
    ends = moment + timedelta(minutes=settings.ACCESS_TOKEN_MINUTES, seconds=settings.TOKEN_LEEWAY_S)
    monkeypatch.setattr(clock, "now", lambda: ends - timedelta(seconds=2))
    tokens.read(token)
    monkeypatch.setattr(clock, "now", lambda: ends + timedelta(seconds=2))
    with pytest.raises(TokenRefused) as refusal:
        tokens.read(token)
    assert refusal.value.reason == "TOKEN_EXPIRED"


def pem(key: Any, *, private: bool = True) -> str:
    if private:
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        content = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(content).decode()


def secret(letter: str) -> str:
    return base64.b64encode(letter.encode() * 32).decode()


def test_keys_overlap_while_they_change(settings: Any) -> None:
    settings.TOKEN_KEYS = [f"old:{secret('o')}"]
    old = issue()
    settings.TOKEN_KEYS = [f"new:{secret('n')}", f"old:{secret('o')}"]
    tokens.read(old)
    assert jwt.get_unverified_header(issue())["kid"] == "new"
    settings.TOKEN_KEYS = [f"new:{secret('n')}"]
    with pytest.raises(TokenRefused):
        tokens.read(old)


def test_a_former_secret_key_is_still_read(settings: Any) -> None:
    token = issue()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "s" * 50, [settings.SECRET_KEY]
    tokens.read(token)
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(TokenRefused):
        tokens.read(token)


PRIVATE = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@pytest.mark.django_db
@pytest.mark.parametrize("algorithm", PRIVATE)
def test_others_verify_by_the_public_keys(settings: Any, algorithm: str) -> None:
    settings.TOKEN_ALGORITHM = algorithm
    first, second = PRIVATE[algorithm](), PRIVATE[algorithm]()
    settings.TOKEN_KEYS = [f"a:{pem(first)}", f"b:{pem(second, private=False)}"]
    token = issue()
    tokens.read(token)
    answer = Client().get("/.well-known/jwks.json")
    published = {each["kid"]: each for each in answer.json()["keys"]}
    assert set(published) == {"a", "b"}
    assert not {"d", "p", "q", "k"} & {name for each in published.values() for name in each}
    key = jwt.PyJWK(published["a"])
    assert jwt.decode(token, key, algorithms=[algorithm], audience=settings.TOKEN_AUDIENCE)["sub"] == "7"
    confused = jwt.encode(claims_of(token), "x" * 32, "HS256", headers={"kid": "a"})
    with pytest.raises(TokenRefused):
        tokens.read(confused)


@pytest.mark.django_db
def test_a_shared_secret_is_not_published() -> None:
    assert Client().get("/.well-known/jwks.json").json() == {"keys": []}


@pytest.mark.parametrize(
    ("algorithm", "given"),
    [
        ("none", []),
        ("HS256", ["a:c2hvcnQ="]),
        ("HS256", ["nocolon"]),
        ("HS256", ["a:!!!"]),
        ("HS256", [f"a:{secret('x')}", f"a:{secret('y')}"]),
        ("RS256", []),
        ("RS256", [f"a:{secret('x')}"]),
        ("EdDSA", [f"a:{pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))}"]),
        ("RS256", [f"a:{pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))}"]),
        ("EdDSA", [f"a:{pem(ed25519.Ed25519PrivateKey.generate(), private=False)}"]),
    ],
)
def test_keys_that_cannot_work_are_refused_in_a_sentence(settings: Any, algorithm: str, given: list[str]) -> None:
    settings.TOKEN_ALGORITHM, settings.TOKEN_KEYS = algorithm, given
    with pytest.raises(ImproperlyConfigured, match=r"^TOKEN_(KEYS|ALGORITHM) .*\.$|^TOKEN_KEYS: .*\.$"):
        keys.check()
