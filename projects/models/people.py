"""People."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A person who signs in. Rights are grants on companies and projects, not fields here."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        """Two letters for the round badge in the top bar."""
        words = str(self).split()
        return "".join(word[0] for word in words[:2]).upper()
