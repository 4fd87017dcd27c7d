"""How people get in."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter


class InvitedPeopleOnly(DefaultAccountAdapter):
    """Accounts are made by an administrator; the sign-up page is closed."""

    def is_open_for_signup(self, request: Any) -> bool:
        return False
