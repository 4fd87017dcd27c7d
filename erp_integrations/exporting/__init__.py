"""The way out: subcontractor invoices that become bills in the ERP."""
