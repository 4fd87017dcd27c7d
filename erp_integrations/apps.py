from django.apps import AppConfig


class ErpIntegrationsConfig(AppConfig):
    name = "erp_integrations"
    verbose_name = "ERP Integrations"

    def ready(self) -> None:
        from erp_integrations import freshness, receivers  # noqa: F401  connects the signals

        freshness.register()
