"""What somebody typed into the box: a number, an amount or a vendor, whichever it may be."""

import re
from dataclasses import dataclass
from decimal import Decimal

from erp_integrations.providers.contract import PaymentQuestion

AMOUNT = re.compile(r"^\$?\s*(\d{1,3}(?:,\d{3})+|\d{1,13})(\.\d{1,4})?$")


@dataclass(frozen=True)
class Question:
    """``1250`` may be a check and an amount; ``$1,250.00`` is an amount only."""

    text: str

    @property
    def amount(self) -> Decimal | None:
        found = AMOUNT.match(self.text)
        return Decimal(found[1].replace(",", "") + (found[2] or "")) if found else None

    @property
    def is_amount_only(self) -> bool:
        """Written as nobody writes a number of a check."""
        return self.amount is not None and not self.text.isdecimal()

    @property
    def for_erp(self) -> list[PaymentQuestion]:
        """What the ERP is asked, one after the other until something is found; two at the most."""
        if self.is_amount_only:
            return [PaymentQuestion(amount=self.amount)]
        number, vendor = PaymentQuestion(number=self.text), PaymentQuestion(vendor=self.text)
        if self.amount is not None:
            return [number, PaymentQuestion(amount=self.amount)]
        has_digits = any(each.isdigit() for each in self.text)
        return [number, vendor] if has_digits else [vendor, number]
