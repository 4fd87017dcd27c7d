"""The part of the provider that writes into Tryton."""

from erp_integrations.providers.contract import BillToExport, RemoteBill
from erp_integrations.providers.errors import RecordNotFound, TransientError
from erp_integrations.providers.tryton.bill_writer import BillWriter
from erp_integrations.providers.tryton.directory import TrytonDirectory


class TrytonBillExport(TrytonDirectory):
    """Bills of subcontractor invoices, found again by their key."""

    def create_bill(self, bill: BillToExport) -> RemoteBill:
        """See the contract."""
        return self._bill_with(BillWriter(self._client).write(bill))

    def find_bill(self, key: str) -> RemoteBill:
        """See the contract. A cancelled bill is not found: nothing is owed on it."""
        written = BillWriter(self._client).written(key)
        if not written:
            raise RecordNotFound(f"{self._client.name} has no bill with this key.")
        return self._bill_with(written[0].id)

    def _bill_with(self, number: int) -> RemoteBill:
        for found in self.bills([str(number)]):
            return found
        raise TransientError(f"{self._client.name} does not show a bill that it showed before.")
