"""Credentials of ERP connections: encrypted in the database, in clear only where they are used.

``CREDENTIAL_KEYS`` holds Fernet keys, newest first. Rotation: put a new key in
front, run ``manage.py rotate_credentials``, take the old one away.
"""

import json
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

from erp_integrations.providers.errors import ConfigurationError

if TYPE_CHECKING:
    BinaryField = models.BinaryField[Any, Any]
else:
    BinaryField = models.BinaryField

Credentials = dict[str, str]


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])


class EncryptedCredentialsField(BinaryField):
    """A ``dict[str, str]`` in Python, one Fernet token in the database."""

    def from_db_value(self, value: bytes | None, *_: Any) -> "EncryptedCredentials":
        return EncryptedCredentials(bytes(value or b""))

    def get_prep_value(self, value: Any) -> bytes:
        if isinstance(value, EncryptedCredentials):
            return value.token
        return EncryptedCredentials.of(value or {}).token


class EncryptedCredentials:
    """Ciphertext that is opened on demand and prints as nothing."""

    def __init__(self, token: bytes = b"") -> None:
        self.token = token

    @classmethod
    def of(cls, credentials: Credentials) -> "EncryptedCredentials":
        return cls(_keys().encrypt(json.dumps(credentials).encode()) if credentials else b"")

    def reveal(self) -> Credentials:
        """The credentials in clear. Raises ``ConfigurationError`` when no key opens them."""
        if not self.token:
            return {}
        try:
            opened: Credentials = json.loads(_keys().decrypt(self.token))
        except InvalidToken as error:
            raise ConfigurationError(
                "The stored credentials cannot be read with the present CREDENTIAL_KEYS. "
                "Enter them again in the connection's settings."
            ) from error
        return opened

    def rotated(self) -> "EncryptedCredentials":
        """The same credentials under the newest key."""
        return EncryptedCredentials.of(self.reveal())

    def __bool__(self) -> bool:
        return bool(self.token)

    def __repr__(self) -> str:
        return "EncryptedCredentials(…)"
