"""What the top bar shows: where the person is, and the tools that are there for them."""

from typing import Any

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, Any]:
    return {}
