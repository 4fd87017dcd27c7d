"""The right to read an ERP's books that a person gave in the browser, and the way to it."""

from django.conf import settings
from django.db import models

from erp_integrations.credentials import EncryptedCredentials, EncryptedCredentialsField
from erp_integrations.models.connection import ErpConnection
from projects.models import Company


class OAuthGrant(models.Model):
    """The tokens of one connection; its row is the lock under which they are renewed.

    Without ``granted_by`` the program signs in by itself. ``lost_at``: the ERP
    took the right back or it ran out, and there is no token any more.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.OneToOneField(ErpConnection, on_delete=models.CASCADE, related_name="grant")
    #: ``access`` and ``refresh``
    token = EncryptedCredentialsField(default=EncryptedCredentials, editable=False)
    expires_at = models.DateTimeField("access token good until", null=True)
    scope = models.TextField(blank=True)
    #: what the ERP calls the company whose books are read, where one sign-in opens several
    tenant_name = models.CharField("company in the ERP", max_length=200, blank=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    granted_at = models.DateTimeField(null=True)
    renewed_at = models.DateTimeField(null=True)
    #: goes up with every token; who wants to write one says which came before it
    renewals = models.PositiveBigIntegerField(default=0)
    lost_at = models.DateTimeField(null=True)
    lost_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "OAuth grant"

    def __str__(self) -> str:
        return f"OAuth grant of {self.connection}"


class OAuthAttempt(models.Model):
    """One way to the ERP's sign-in page and back, good once and for minutes.

    Only who started it, in the same browser session, may end it. The state
    itself is not kept, only its digest.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    connection = models.ForeignKey(ErpConnection, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state_digest = models.CharField(max_length=64, unique=True)
    session_digest = models.CharField(max_length=64)
    #: the PKCE ``verifier``, where the vendor offers that
    proof = EncryptedCredentialsField(default=EncryptedCredentials, editable=False)
    redirect_uri = models.CharField(max_length=500)
    started_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "OAuth sign-in under way"
        verbose_name_plural = "OAuth sign-ins under way"
        indexes = [models.Index(fields=["expires_at"], name="oauth_attempt_by_end")]

    def __str__(self) -> str:
        return f"Sign-in of {self.person} for {self.connection}"
