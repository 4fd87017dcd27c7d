"""The error tree. The class, never the text, decides what happens next.

=====================  =====================================================
``TransientError``     try again with backoff; ``RateLimited`` says when
``AuthenticationError``  stop the connection, tell its administrators
``ConfigurationError``   the same; somebody has to change a setting
``RecordError``        one record is wrong: one issue, the run goes on
``RecordNotFound``     the ERP says that this id does not exist
``ProtocolError``      the answer is not what this ERP's API promises
=====================  =====================================================

``str(error)`` is a sentence for the accountant. ``detail`` is for the log and
never holds a credential.
"""


class ErpError(Exception):
    """Anything an ERP, or the way to it, can do to us."""

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class TransientError(ErpError):
    """Time-outs, resets, 5xx: the same request may work in a moment."""

    def __init__(self, message: str, *, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, detail=detail)
        #: seconds the ERP asked us to wait
        self.retry_after = retry_after


class RateLimited(TransientError):
    """The ERP asks us to slow down."""


class AuthenticationError(ErpError):
    """The ERP does not accept our credentials, or not for this."""


class ConfigurationError(ErpError):
    """Address, database or right is wrong in a way only a person can mend."""


class ProtocolError(ErpError):
    """HTML for JSON, a cut-off page, a field of another type: not safe to go on."""


class RecordError(ErpError):
    """One record cannot be used as it is."""


class RecordNotFound(ErpError):
    """The ERP answered, and says that this record does not exist."""


class NotOffered(ConfigurationError):
    """This ERP does not offer what was asked of it; its capabilities say so beforehand."""

    def __init__(self, erp: str, what: str) -> None:
        super().__init__(f"{erp} does not offer {what} to other programs.")
