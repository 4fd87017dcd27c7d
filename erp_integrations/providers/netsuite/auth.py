"""How the program signs in at NetSuite: OAuth 2, by a person or with a certificate of its own."""

import base64
import re
import time
from collections.abc import Mapping

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from erp_integrations.providers.capabilities import VENDORS_OWN_ADDRESS, ConnectionField
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.oauth import CLIENT_ID, Authorization

TOKEN = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - an address
AUTHORIZE = "/app/login/oauth2/authorize.nl"
SCOPE = "rest_webservices"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: how long an assertion can be used; NetSuite takes less than an hour
ASSERTION_SECONDS = 300
ACCOUNT = ConnectionField(
    "account", "Account ID", "As in the address of NetSuite, e.g. 1234567 or 1234567_SB1."
)
CERTIFICATE_ID = ConnectionField(
    "certificate_id",
    "Certificate ID",
    "Leave empty if somebody signs in for this connection. With a certificate that is mapped in "
    "OAuth 2.0 Client Credentials (M2M) Setup nobody has to.",
    is_required=False,
)
PRIVATE_KEY = ConnectionField(
    "private_key",
    "Private key of the certificate",
    "In PEM form; an EC key (P-256) or an RSA key.",
    secret=True,
    is_required=False,
    has_lines=True,
)
PEM = re.compile(r"-----BEGIN (?P<name>[A-Z ]+)-----(?P<body>[A-Za-z0-9+/=\s]+)-----END (?P=name)")
_CURVES: dict[str, tuple[str, hashes.HashAlgorithm]] = {
    "secp256r1": ("ES256", hashes.SHA256()),
    "secp384r1": ("ES384", hashes.SHA384()),
    "secp521r1": ("ES512", hashes.SHA512()),
}


def api_address(settings: Mapping[str, str]) -> str:
    """Each account has a host of its own; a sandbox's ID has a ``_`` that hosts cannot have."""
    return _own(settings) or f"https://{_host(settings)}.suitetalk.api.netsuite.com"


def authorization(settings: Mapping[str, str]) -> Authorization:
    """The authorization code, or client credentials where a certificate is named."""
    address = api_address(settings)
    by_itself = bool(CERTIFICATE_ID.entered(settings))
    sign_in = _own(settings) or f"https://{_host(settings)}.app.netsuite.com"
    return Authorization(
        token_url=f"{address}{TOKEN}",
        authorize_url="" if by_itself else f"{sign_in}{AUTHORIZE}",
        scopes=(SCOPE,),
        uses_pkce=not by_itself,
    )


def proof(settings: Mapping[str, str], credentials: Mapping[str, str]) -> dict[str, str]:
    """The signed assertion of a program that signs in by itself; nothing where a person does."""
    certificate = CERTIFICATE_ID.entered(settings)
    if not certificate:
        return {}
    now = int(time.time())
    claims: dict[str, str | int] = {
        "iss": CLIENT_ID.entered(settings),
        "scope": SCOPE,
        "aud": f"{api_address(settings)}{TOKEN}",
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
    }
    key = PRIVATE_KEY.entered(credentials)
    return {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": _signed(claims, certificate, key),
    }


def _own(settings: Mapping[str, str]) -> str:
    return VENDORS_OWN_ADDRESS.entered(settings).rstrip("/")


def _host(settings: Mapping[str, str]) -> str:
    account = ACCOUNT.entered(settings).lower().replace("_", "-")
    if not account.replace("-", "").isalnum():
        raise ConfigurationError(
            "The connection to NetSuite has no account ID yet, or one with other characters than "
            "letters, digits and “_”."
        )
    return account


def _signed(claims: Mapping[str, str | int], certificate: str, pem: str) -> str:
    """A JWT (RFC 7519), signed as the kind of key wants it: ES256 and its like, or PS256."""
    key = _loaded(pem)
    name, algorithm = _algorithm(key)
    header = {"typ": "JWT", "alg": name, "kid": certificate}
    text = f"{_part(msgspec.json.encode(header))}.{_part(msgspec.json.encode(claims))}"
    if isinstance(key, rsa.RSAPrivateKey):
        salt = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        return f"{text}.{_part(key.sign(text.encode(), salt, algorithm))}"
    # RFC 7518 §3.4: both numbers side by side, not in DER.
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(algorithm)))
    size = (key.curve.key_size + 7) // 8
    return f"{text}.{_part(r.to_bytes(size, 'big') + s.to_bytes(size, 'big'))}"


def _loaded(pem: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(_in_lines(pem).encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            "The private key of the connection to NetSuite cannot be read. It has to be in PEM "
            "form, whole, and without a password."
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigurationError("NetSuite takes EC keys and RSA keys; this is neither.")
    return key


def _in_lines(pem: str) -> str:
    """A PEM as it was before a form field, which has one line, took its line breaks away."""
    found = PEM.search(pem)
    if not found:
        return pem
    name, body = found["name"], "".join(found["body"].split())
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {name}-----", *lines, f"-----END {name}-----", ""])


def _algorithm(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
) -> tuple[str, hashes.HashAlgorithm]:
    if isinstance(key, rsa.RSAPrivateKey):
        return "PS256", hashes.SHA256()
    if key.curve.name not in _CURVES:
        raise ConfigurationError(f"NetSuite takes no EC key on the curve {key.curve.name}.")
    return _CURVES[key.curve.name]


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
