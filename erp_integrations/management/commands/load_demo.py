"""``manage.py load_demo``: a company to look around in, as often as you like."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from commitments.models import Commitment
from erp_integrations import connections
from erp_integrations.demo import story
from erp_integrations.demo.books import Books, read_books
from erp_integrations.demo.company import write_company, write_person
from erp_integrations.demo.contracts import link_jobs, write_contract, write_vendors
from erp_integrations.models import ErpConnection, SyncSchedule
from payments import services as payments
from payments.models import PaymentEvent, PaymentMethod
from projects.models import Company, User

RECEIPT = b"Harbor Point Garage\nMobilization deposit to Bolt Electric Inc\nUSD 1,500.00\n"


class Command(BaseCommand):
    help = (
        "Loads a demo company with projects, people, commitments and invoices. With --erp-url, "
        "--erp-database and --erp-key it is also connected to the demo's Tryton. Running it again "
        "adds what is missing and leaves the rest as people left it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--erp-url", default="", help="where the demo's Tryton answers")
        parser.add_argument("--erp-database", default="", help="the name of its database")
        parser.add_argument("--erp-key", default="", help="a REST key of it; never printed")

        parser.add_argument("--erp-books", default="", help="another ERP's listing of the bills")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            company = load_story(read_books(options["erp_books"]))
            if options["erp_url"]:
                settings = {"url": options["erp_url"], "database": options["erp_database"]}
                connect(company, settings, {"key": options["erp_key"]})
        except FileNotFoundError as error:
            raise CommandError("The demo needs tryton/books.json of the repository.") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        names = ", ".join(person.username for person in story.PEOPLE)
        self.stdout.write(f"{company} is loaded. Sign in as {names}.")


@transaction.atomic
def load_story(books: Books) -> Company:
    """Both companies with everything in them."""
    company = write_company(story.COMPANY, story.PROJECTS)
    people = {person.username: write_person(company, person) for person in story.PEOPLE}
    write_vendors(company, books)
    link_jobs(company, books)
    commitments = {demo.number: write_contract(company, demo, books) for demo in story.CONTRACTS}
    write_manual_payment(commitments["SC-2024-002"], people["accountant"])
    other = write_company(story.OTHER_COMPANY, [story.OTHER_PROJECT])
    write_person(other, story.OTHER_PERSON)
    write_contract(other, story.OTHER_CONTRACT, books)
    return company


def write_manual_payment(commitment: Commitment, by: User) -> None:
    """A deposit that was paid outside the ERP, with its receipt; only once."""
    if PaymentEvent.objects.filter(commitment=commitment, import_id=None).exists():
        return
    entry = payments.Entry(
        amount=Decimal("1500.00"),
        method=PaymentMethod.CREDIT_CARD,
        date=dt.date(2026, 5, 20),
        payment_number="DEP-1",
        notes="Mobilization deposit, paid by company card before the first bill.",
    )
    payment = payments.record_payment(commitment=commitment, entry=entry, by=by)
    receipt = SimpleUploadedFile("deposit-receipt.txt", RECEIPT)
    payments.attach_file(payment=payment, file=receipt, by=by)


def connect(company: Company, settings: dict[str, str], credentials: dict[str, str]) -> None:
    """Connect the demo's Tryton, or tell the connection where Tryton is today."""
    connection = ErpConnection.objects.filter(company=company).first()
    if connection is None:
        connections.connect(
            company=company,
            by=None,
            provider="tryton",
            name="Tryton",
            settings=settings,
            credentials=credentials,
            sync_schedule=SyncSchedule.HOURLY,
            export_subcontractor_invoices=True,
        )
        return
    # The service refuses another address once payments were read, because that may be other books.
    # These are the same books: the demo's Tryton gets a new port when its old one is taken.
    ErpConnection.objects.filter(pk=connection.pk).update(settings=settings)
    connection.refresh_from_db()
    connections.change_connection(
        connection=connection,
        by=None,
        provider="tryton",
        name=connection.name,
        settings=settings,
        credentials=credentials,
    )
