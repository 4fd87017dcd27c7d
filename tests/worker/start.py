"""A Celery worker that can also read the page server of the benchmark: ``start.py PORT``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

if __name__ == "__main__":
    import django

    django.setup()
    from bench.sync import make_provider
    from erp_integrations.providers import registry
    from procore_sync import celery_app

    with registry.registered(make_provider(int(sys.argv[1]))):
        celery_app.worker_main(["worker", "--pool", "solo", "--loglevel", "warning"])
