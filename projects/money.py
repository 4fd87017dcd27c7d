"""Money: a ``Decimal`` and an ISO 4217 code, never a float, not even in between."""

from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from babel.numbers import format_currency, get_currency_precision, list_currencies
from django.core.exceptions import ValidationError
from django.db import models

if TYPE_CHECKING:
    DecimalField = models.DecimalField[Any, Any]
    CharField = models.CharField[Any, Any]
else:
    DecimalField, CharField = models.DecimalField, models.CharField

ZERO = Decimal(0)
#: what fits into a ``MoneyField`` with room to add up
LARGEST = Decimal(10) ** 13
NO_NUMBER = "Enter a number."
TOO_LARGE = "Enter an amount of at most 13 digits before the decimal point."
WRONG_DECIMALS = "Amounts in {currency} have at most {decimals} decimals."


class MoneyField(DecimalField):
    """Four decimals hold every currency's minor unit (three for KWD, four for CLF)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 19)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(*args, **kwargs)


class CurrencyField(CharField):
    """An ISO 4217 code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 3)
        kwargs.setdefault("default", "USD")
        super().__init__(*args, **kwargs)


@cache
def is_currency(code: str) -> bool:
    """Whether ISO 4217 knows this code."""
    return len(code) == 3 and code in list_currencies()


@cache
def minor_units(code: str) -> int:
    """How many decimals the currency has: 2 for USD, 0 for JPY, 3 for KWD."""
    return get_currency_precision(code)


def fits_currency(amount: Decimal, code: str) -> bool:
    """Whether the amount has no more decimals than its currency."""
    return amount == amount.quantize(Decimal(1).scaleb(-minor_units(code)))


def amount_problem(amount: Decimal, code: str) -> str:
    """Why the amount cannot be stored, as a sentence for people; empty when it can."""
    if not amount.is_finite():
        return NO_NUMBER
    if abs(amount) >= LARGEST:
        return TOO_LARGE
    if not fits_currency(amount, code):
        return WRONG_DECIMALS.format(currency=code, decimals=minor_units(code))
    return ""


def validate_currency(code: str) -> None:
    if not is_currency(code):
        raise ValidationError(f"“{code}” is not a currency. Use a three-letter code such as USD.")


def rounded(amount: Decimal, code: str) -> Decimal:
    """The amount with exactly the currency's decimals, for exports."""
    return amount.quantize(Decimal(1).scaleb(-minor_units(code)))


def display_money(amount: Decimal, code: str) -> str:
    """``$1,100.50``; negative amounts stand in parentheses, as accountants write them."""
    text = format_currency(abs(amount), code, locale="en_US")
    return f"({text})" if amount < 0 else text
