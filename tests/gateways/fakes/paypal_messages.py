"""How PayPal signs its messages, and what its verification endpoint checks: bytes, by CRC-32 and RSA."""

import base64
import json
import zlib
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

WEBHOOK_ID = "5FAKEWEBHOOK000001"
CERT_URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-5a29e601"
SENT_AT = "2026-01-15T10:20:31Z"
VALUE = '"webhook_event":'


def signed_text(transmission_id: str, sent_at: str, webhook_id: str, body: bytes) -> bytes:
    return f"{transmission_id}|{sent_at}|{webhook_id}|{zlib.crc32(body)}".encode()


def raw_event(asked: str) -> bytes:
    """The event's own characters in the body of a verification request."""
    start = asked.index(VALUE) + len(VALUE)
    _, end = json.JSONDecoder().raw_decode(asked, start)
    return asked[start:end].encode()


@dataclass
class Mailroom:
    key: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65537, 2048))
    keys: dict[str, RSAPublicKey] = field(default_factory=dict)
    """By address of the certificate."""
    webhook_ids: set[str] = field(default_factory=lambda: {WEBHOOK_ID})
    numbers: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self.keys[CERT_URL] = self.key.public_key()

    def trust(self, url: str, certificate: str, webhook_id: str) -> None:
        key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
        assert isinstance(key, RSAPublicKey)
        self.keys[url] = key
        self.webhook_ids.add(webhook_id)

    def sign(self, body: bytes) -> dict[str, str]:
        while True:
            transmission_id = f"b1e2c3d4-{next(self.numbers):04x}-11f0-8000-aabbccddeeff"
            text = signed_text(transmission_id, SENT_AT, WEBHOOK_ID, body)
            signature = base64.b64encode(self.key.sign(text, PKCS1v15(), SHA256())).decode()
            if signature[0] not in "+/":  # the published schema does not allow these in the first place
                return {
                    "Paypal-Auth-Algo": "SHA256withRSA",
                    "Paypal-Cert-Url": CERT_URL,
                    "Paypal-Transmission-Id": transmission_id,
                    "Paypal-Transmission-Sig": signature,
                    "Paypal-Transmission-Time": SENT_AT,
                }

    def verifies(self, asked: str) -> bool:
        sent = json.loads(asked)
        key = self.keys.get(sent["cert_url"])
        if key is None or sent["auth_algo"] != "SHA256withRSA" or sent["webhook_id"] not in self.webhook_ids:
            return False
        text = signed_text(sent["transmission_id"], sent["transmission_time"], sent["webhook_id"], raw_event(asked))
        try:
            key.verify(base64.b64decode(sent["transmission_sig"]), text, PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True
