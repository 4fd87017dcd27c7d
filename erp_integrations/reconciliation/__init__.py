"""Do the two books agree? For each synced invoice: what the ERP paid, what is here, and why."""
