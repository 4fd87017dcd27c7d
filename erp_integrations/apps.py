from django.apps import AppConfig


class ErpIntegrationsConfig(AppConfig):
    name = "erp_integrations"
    verbose_name = "ERP Integrations"

    def ready(self) -> None:
        from erp_integrations import freshness, receivers  # noqa: F401  connects the signals
        from erp_integrations.exporting import on_invoices
        from erp_integrations.notices import rejections  # noqa: F401  likewise
        from erp_integrations.vanished.views import unlink_action
        from payments.actions import register_payment_action

        freshness.register()
        on_invoices.register()
        register_payment_action(unlink_action)
