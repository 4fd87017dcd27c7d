"""``manage.py capabilities_table``: writes the table of all ERPs into ``docs/erps.md``."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from erp_integrations.providers.capabilities_table import BEGIN, END, tables
from erp_integrations.providers.registry import built_in


class Command(BaseCommand):
    help = "Writes what each ERP can do into docs/erps.md, as the providers declare it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only say whether it is up to date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / "docs" / "erps.md"
        before = page.read_text(encoding="utf-8")
        head, _, rest = before.partition(BEGIN)
        after = head + tables(built_in()) + rest.partition(END)[2]
        if before == after:
            self.stdout.write("docs/erps.md is up to date.")
        elif options["check"]:
            raise CommandError("docs/erps.md is not up to date; run manage.py capabilities_table.")
        else:
            page.write_text(after, encoding="utf-8")
            self.stdout.write("docs/erps.md is written anew.")
