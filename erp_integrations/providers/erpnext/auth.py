"""How ERPNext knows who asks: an API key and its secret, both made for one user."""


def headers(key: str, secret: str) -> dict[str, str]:
    """Frappe's own scheme; the word *token* is part of it."""
    return {"Authorization": f"token {key}:{secret}"}
