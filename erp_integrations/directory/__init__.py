"""Vendors, jobs and commitments: what the ERP has, and what here is linked to it."""
