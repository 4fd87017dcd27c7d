"""What Business Central means when it says no; closed by default.

A refusal is JSON, ``{"error": {"code": …, "message": …}}``; the code's first
word tells what kind it is.
"""

from erp_integrations.providers.errors import (
    AuthenticationError,
    ConfigurationError,
    ErpError,
    TransientError,
)
from erp_integrations.providers.http import Answer

NOT_INSTALLED = (
    "does not know the API pages that this connection reads: the extension “Posted Vendor "
    "Payments” is not installed there. Install it from the folder al of this provider (the guide "
    "says how), or use file drop with an export of the vendor ledger entries."
)


def refusal(answer: Answer) -> tuple[str, str]:
    """Code and message; empty where there are none."""
    try:
        said = answer.json()["error"]
        return str(said.get("code") or ""), str(said.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", ""


def meaning(answer: Answer, name: str) -> ErpError | None:
    """The error that an answer stands for; None leaves it to HTTP's own rules."""
    code, message = refusal(answer)
    detail = f"status {answer.status}: {answer.text}"
    if answer.status == 401:
        return AuthenticationError(
            f"{name} does not let the app in. Add its client ID under Microsoft Entra Applications "
            f"in the environment, with the state Enabled.",
            detail=detail,
        )
    if answer.status == 403 or "permission" in message.lower():
        said = f": {message[:200]}" if message else "."
        return AuthenticationError(
            f"{name} does not let the app read this{said} Give it the permission set PSY READ "
            f"PAYMENTS.",
            detail=detail,
        )
    if answer.status == 404:
        return ConfigurationError(_not_found(code, name), detail=detail)
    if code in {"Internal_TenantUnavailable", "Internal_DatabaseTimeout"}:
        return TransientError(
            f"The environment of {name} is not available just now. It will be tried again by "
            f"itself.",
            detail=detail,
            retry_after=answer.retry_after,
        )
    return None


def _not_found(code: str, name: str) -> str:
    if code == "NoEnvironment":
        return f"{name} has no environment of that name. Check the settings of the connection."
    if code == "Internal_CompanyNotFound":
        return f"{name} does not have the company of the connection any more. Enter another one."
    if code.startswith("BadRequest_"):
        return f"{name} {NOT_INSTALLED}"
    return f"{name} does not know this address. Check the tenant, the environment and the company."
