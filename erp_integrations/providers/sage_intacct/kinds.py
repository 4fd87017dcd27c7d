"""What is read of Sage Intacct, and in which order."""

from erp_integrations.providers.sage_intacct import mapper
from erp_integrations.providers.sage_intacct.client import Kind

PAYMENT = Kind("accounts-payable/payment", "payments", mapper.fields_of(mapper.PaymentRow))
DETAIL = Kind(
    "accounts-payable/payment-detail", "payment details", mapper.fields_of(mapper.DetailRow)
)
BILL = Kind("accounts-payable/bill", "bills", mapper.fields_of(mapper.BillRow))
VENDOR = Kind("accounts-payable/vendor", "vendors", mapper.fields_of(mapper.NamedRow))
VENDOR_TO_PAY = VENDOR._replace(fields=mapper.fields_of(mapper.PayeeRow))
PROJECT = Kind("projects/project", "projects", mapper.fields_of(mapper.NamedRow))
MODIFIED = "audit.modifiedDateTime"
