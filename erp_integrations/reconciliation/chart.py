"""Both totals over time, as the coordinates of a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from projects.money import display_money

WIDTH, HEIGHT = 720, 180
LEFT, RIGHT, TOP, BOTTOM = 12, 12, 34, 12


@dataclass(frozen=True)
class Reading:
    """What one comparison came to in one currency."""

    at: datetime
    erp_paid: Decimal
    paid_here: Decimal

    @property
    def difference(self) -> Decimal:
        return self.erp_paid - self.paid_here


@dataclass(frozen=True)
class Chart:
    """Two lines over the readings, oldest first; at least one reading."""

    currency: str
    readings: Sequence[Reading]

    @property
    def name(self) -> str:
        """For ids on the page."""
        return f"chart-{self.currency.lower()}"

    @property
    def first(self) -> Reading:
        return self.readings[0]

    @property
    def last(self) -> Reading:
        return self.readings[-1]

    @property
    def newest_first(self) -> list[Reading]:
        return list(reversed(self.readings))

    @property
    def description(self) -> str:
        there, here, apart = (
            display_money(amount, self.currency)
            for amount in (self.last.erp_paid, self.last.paid_here, self.last.difference)
        )
        return f"At the end {there} paid in the ERP and {here} here: a difference of {apart}."

    @property
    def there(self) -> str:
        return self._points([each.erp_paid for each in self.readings])

    @property
    def here(self) -> str:
        return self._points([each.paid_here for each in self.readings])

    @property
    def there_dots(self) -> list[tuple[str, str]]:
        return self._dots([each.erp_paid for each in self.readings])

    @property
    def here_dots(self) -> list[tuple[str, str]]:
        return self._dots([each.paid_here for each in self.readings])

    @property
    def levels(self) -> list[tuple[str, str]]:
        """The highest and the lowest amount: how high they are drawn, and in words."""
        low, high = self._range
        amounts = [high, low] if high != low else [high]
        return [(self._y(each), display_money(each, self.currency)) for each in amounts]

    def _points(self, amounts: Sequence[Decimal]) -> str:
        return " ".join(f"{x},{y}" for x, y in self._dots(amounts))

    def _dots(self, amounts: Sequence[Decimal]) -> list[tuple[str, str]]:
        return [(self._x(number), self._y(each)) for number, each in enumerate(amounts)]

    @property
    def _range(self) -> tuple[Decimal, Decimal]:
        amounts = [amount for each in self.readings for amount in (each.erp_paid, each.paid_here)]
        return min(amounts), max(amounts)

    def _x(self, number: int) -> str:
        steps = len(self.readings) - 1
        share = Decimal(number) / steps if steps else Decimal("0.5")
        return f"{LEFT + share * (WIDTH - LEFT - RIGHT):.1f}"

    def _y(self, amount: Decimal) -> str:
        low, high = self._range
        share = (amount - low) / (high - low) if high != low else Decimal("0.5")
        return f"{HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM):.1f}"
