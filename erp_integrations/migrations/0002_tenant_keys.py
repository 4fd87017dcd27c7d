"""An ERP payment's connection and company belong together, says the database."""

from django.db import migrations

KEY = """
ALTER TABLE erp_integrations_erppayment
    ADD CONSTRAINT erp_payment_of_its_tenants_connection
        FOREIGN KEY (connection_id, company_id)
        REFERENCES erp_integrations_erpconnection (id, company_id)
        DEFERRABLE INITIALLY DEFERRED
"""

NO_KEY = """
ALTER TABLE erp_integrations_erppayment DROP CONSTRAINT erp_payment_of_its_tenants_connection
"""


class Migration(migrations.Migration):
    dependencies = [("erp_integrations", "0001_initial")]

    operations = [migrations.RunSQL(KEY, NO_KEY)]
