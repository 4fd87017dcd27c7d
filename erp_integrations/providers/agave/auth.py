"""How the unified API knows who asks: three secrets in headers of their own, and a version."""

from collections.abc import Mapping

API_VERSION = "2021-11-21"


def headers(credentials: Mapping[str, str], company: str) -> dict[str, str]:
    """``company``: needed only where the account may open several companies' books."""
    known = {
        "API-Version": API_VERSION,
        "Client-Id": credentials["client_id"],
        "Client-Secret": credentials["client_secret"],
        "Account-Token": credentials["account_token"],
    }
    return known | ({"Company-Id": company} if company else {})
