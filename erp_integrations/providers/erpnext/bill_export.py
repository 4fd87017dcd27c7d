"""The part of the provider that writes into ERPNext."""

from erp_integrations.providers.contract import BillToExport, RemoteBill
from erp_integrations.providers.erpnext.bill_writer import BillWriter
from erp_integrations.providers.erpnext.directory import ErpNextDirectory
from erp_integrations.providers.errors import RecordNotFound, TransientError


class ErpNextBillExport(ErpNextDirectory):
    """Bills of subcontractor invoices, found again by their key."""

    def create_bill(self, bill: BillToExport) -> RemoteBill:
        """See the contract."""
        return self._bill_named(BillWriter(self._client, self._site).write(bill))

    def find_bill(self, key: str) -> RemoteBill:
        """See the contract. A cancelled bill is not found: nothing is owed on it."""
        written = BillWriter(self._client, self._site).written(key)
        if not written:
            raise RecordNotFound(f"{self._client.name} has no bill with this key.")
        return self._bill_named(written[0].name)

    def _bill_named(self, name: str) -> RemoteBill:
        for found in self.bills([name]):
            return found
        raise TransientError(f"{self._client.name} does not show a bill that it showed before.")
