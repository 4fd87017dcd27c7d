"""What administrators type as the address of an ERP."""

from urllib.parse import urlsplit

import msgspec

from erp_integrations.providers.errors import ConfigurationError


class Address(msgspec.Struct, frozen=True):
    scheme: str
    hostname: str
    port: int | None
    path: str


def address_of(url: str, erp: str) -> Address:
    """What an administrator typed as an address. Raises ``ConfigurationError``."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise ConfigurationError(
            f"The address of {erp} must look like https://erp.example.com; "
            f"only http and https are possible."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(
            f"The address of {erp} must not hold a user name, a password, ? or #."
        )
    return Address(parts.scheme, host, port, parts.path)
