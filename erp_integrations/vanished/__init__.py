"""Payments that are gone from the ERP: unlinking them, once the ERP itself says so."""
