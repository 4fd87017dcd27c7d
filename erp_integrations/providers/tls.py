"""What an error of the encryption means for people."""

import ssl

from urllib3 import exceptions as wire


def tls_reason(error: wire.SSLError) -> str:
    """What only a person can mend about the encryption; empty for all else."""
    # urllib3 puts the TLS library's error into the arguments of its own.
    inner = error.args[0] if error.args else None
    if isinstance(inner, ssl.SSLCertVerificationError):
        return "showed a certificate that cannot be trusted, so nothing was sent."
    if isinstance(inner, ssl.SSLError) and inner.reason == "WRONG_VERSION_NUMBER":
        return "does not speak https at this address. Is it an http address?"
    return ""
