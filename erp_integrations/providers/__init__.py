"""ERP providers: everything that knows one ERP's words lives in a folder below this one."""
