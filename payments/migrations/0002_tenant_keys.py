"""A payment's project, company, commitment and invoice belong together, says the database."""

from django.db import migrations

KEYS = """
ALTER TABLE payments_payment
    ADD CONSTRAINT payment_on_a_commitment_of_its_tenant
        FOREIGN KEY (commitment_id, project_id, company_id)
        REFERENCES commitments_commitment (id, project_id, company_id)
        DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT payment_of_an_invoice_of_its_commitment
        FOREIGN KEY (invoice_id, commitment_id)
        REFERENCES commitments_subcontractorinvoice (id, commitment_id)
        DEFERRABLE INITIALLY DEFERRED
"""

NO_KEYS = """
ALTER TABLE payments_payment
    DROP CONSTRAINT payment_on_a_commitment_of_its_tenant,
    DROP CONSTRAINT payment_of_an_invoice_of_its_commitment
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [migrations.RunSQL(KEYS, NO_KEYS)]
