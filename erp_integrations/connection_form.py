"""The form of a connection: what every ERP has, and the fields that its provider asks for."""

from types import new_class
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.urls import reverse

from erp_integrations import connections
from erp_integrations.credentials import Credentials
from erp_integrations.models import ErpConnection
from erp_integrations.providers.contract import NOTIFICATION_SECRET, ConnectionField
from erp_integrations.providers.errors import ConfigurationError
from erp_integrations.providers.oauth import CLIENT_SECRET
from erp_integrations.providers.registry import find_provider
from projects.models import User
from projects.money import validate_currency

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[ErpConnection]
else:
    ModelForm = forms.ModelForm

PREFIX = "erp_"
STORED = "Stored. Leave empty to keep it."
NOTIFIED_AT = (
    "Let the ERP send its notifications to this server's address followed by {address} and enter "
    "here the key with which it signs them. A key that is stored stays when this is left empty."
)


class ConnectionForm(ModelForm):
    """Secrets go in and never come out again: an empty one keeps what is stored."""

    provider_code: ClassVar[str] = ""
    asked: ClassVar[tuple[ConnectionField, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = self.instance.pk is None
        self.same_erp = same_erp = self.instance.provider == self.provider_code
        for asked in self.asked:
            field = self.fields[PREFIX + asked.name]
            if asked.secret and same_erp and self._is_stored(asked):
                field.required, field.help_text = False, STORED
            elif not asked.secret and same_erp:
                field.initial = self.instance.settings.get(asked.name, "")

        if notified := self.fields.get(PREFIX + NOTIFICATION_SECRET.name):
            notified.help_text = NOTIFIED_AT.format(address=self._notification_address())

    @property
    def needed(self) -> list[forms.BoundField]:
        """What nearly everybody fills in, secrets that are stored already included."""
        others = self._optional_names()
        return [field for field in self.visible_fields() if field.name not in others]

    @property
    def optional(self) -> list[forms.BoundField]:
        others = self._optional_names()
        return [field for field in self.visible_fields() if field.name in others]

    def _optional_names(self) -> set[str]:
        # An app without a secret is the exception.
        usual = {CLIENT_SECRET.name}
        asked = (each for each in self.asked if not each.is_required)
        return {PREFIX + each.name for each in asked if each.name not in usual}

    def _is_stored(self, asked: ConnectionField) -> bool:
        """Credentials that no key opens count as stored, too: then all have to be typed again."""
        try:
            return bool(self.instance.credentials.reveal().get(asked.name))
        except ConfigurationError:
            return True

    def _notification_address(self) -> str:
        if self.is_new:
            return "/erp-notifications/…/ (shown once the connection is saved)"
        return reverse("erp_integrations:notification", args=[self.instance.public_id])

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        validate_currency(currency)
        return currency

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                self._check()
            except ValidationError as error:
                self._put_where_it_belongs(error)
        return data

    def _check(self) -> None:
        values: dict[str, Any] = {
            "provider": self.provider_code,
            "settings": self.typed(secret=False),
            "credentials": self.typed(secret=True),
        }
        if self.is_new:
            connections.check_settings(**values)
        else:
            connections.check_change(connection=_as_stored(self.instance), **values)

    def _put_where_it_belongs(self, error: ValidationError) -> None:
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, problems in error.error_dict.items():
            key = PREFIX + name if PREFIX + name in self.fields else None
            self.add_error(key if name != NON_FIELD_ERRORS else None, problems)

    def typed(self, *, secret: bool) -> Credentials:
        """What was typed into the provider's own fields, by their names.

        Settings that no field is for came with the sign-in in the browser, and stay.
        """
        kept = {} if secret or not self.same_erp else self._brought_by_the_sign_in()
        return kept | {
            asked.name: self.cleaned_data.get(PREFIX + asked.name, "")
            for asked in self.asked
            if asked.secret is secret
        }

    def _brought_by_the_sign_in(self) -> dict[str, str]:
        asked = {field.name for field in self.asked}
        stored = self.instance.settings.items()
        return {name: value for name, value in stored if name not in asked}

    def store(self, by: User | None) -> ErpConnection:
        """Write everything through the services."""
        return self._connect(by) if self.is_new else self._change(by)

    def _connect(self, by: User | None) -> ErpConnection:
        data = self.cleaned_data
        return connections.connect(
            company=data.get("company") or self.instance.company,
            by=by,
            provider=self.provider_code,
            name=data["name"],
            settings=self.typed(secret=False),
            credentials=self.typed(secret=True),
            currency=data["currency"],
            **self._chosen_settings(),
        )

    def _change(self, by: User | None) -> ErpConnection:
        connection = connections.change_connection(
            connection=self.instance,
            by=by,
            provider=self.provider_code,
            name=self.cleaned_data["name"],
            settings=self.typed(secret=False),
            credentials=self.typed(secret=True),
            currency=self.cleaned_data["currency"],
        )
        changes = self._chosen_settings()
        return connections.change_settings(connection=connection, by=by, **changes)

    def _chosen_settings(self) -> connections.Settings:
        """The switches and numbers that this page has, and no others."""
        names = connections.Settings.__optional_keys__ & self.fields.keys()
        return cast(connections.Settings, {name: self.cleaned_data[name] for name in names})


def form_for(provider_code: str) -> type[ConnectionForm]:
    """``ConnectionForm`` with the fields of one provider."""
    provider = find_provider(provider_code)
    asked = tuple(provider.fields) if provider else ()
    attributes: dict[str, Any] = {PREFIX + each.name: _form_field(each) for each in asked}
    attributes |= {"provider_code": provider_code, "asked": asked}
    made = new_class(
        "ConnectionForm", (ConnectionForm,), exec_body=lambda it: it.update(attributes)
    )
    return cast(type[ConnectionForm], made)


def _form_field(asked: ConnectionField) -> forms.CharField:
    return forms.CharField(
        label=asked.label,
        help_text=asked.help_text,
        max_length=10_000 if asked.has_lines else 2000,
        widget=_widget(asked),
        required=asked.is_required,
    )


def _widget(asked: ConnectionField) -> forms.Widget:
    """A secret is never put into the page; one with lines is not hidden while it is pasted."""
    if asked.has_lines:
        attributes = {"rows": 4, "autocomplete": "off", "spellcheck": "false"}
        return _Unshown(attributes) if asked.secret else forms.Textarea(attributes)
    if asked.secret:
        hidden = {"class": "vTextField", "autocomplete": "new-password"}
        return forms.PasswordInput(attrs=hidden, render_value=False)
    return forms.TextInput(attrs={"class": "vTextField"})


class _Unshown(forms.Textarea):
    """A box for several lines that comes back empty, like one for passwords."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


def _as_stored(instance: ErpConnection) -> ErpConnection:
    """The row as it is in the database: the form has written into ``instance`` already."""
    return ErpConnection.objects.get(pk=instance.pk)
