"""The right to read an ERP's books: given in the browser, kept encrypted, renewed, lost."""
