# One image for web, worker, beat and migrate; docker-compose.yml says which is which.
FROM python:3.13-slim-bookworm AS packages
COPY requirements/runtime.txt /requirements.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r /requirements.txt

FROM python:3.13-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    MEDIA_ROOT=/data/media BEAT_SCHEDULE_FILE=/tmp/celerybeat-schedule
RUN useradd --system --uid 10001 --home-dir /app procore-sync \
    && install -d -o procore-sync /data /data/media /data/drop
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
# Nothing secret: these values are only there because settings refuse to start without them.
RUN SECRET_KEY=unused CREDENTIAL_KEYS=unused DATABASE_URL=postgres://unused/unused \
    CELERY_BROKER_URL=memory:// python manage.py collectstatic --noinput
USER procore-sync
VOLUME ["/data/media", "/data/drop"]
EXPOSE 8000
CMD ["gunicorn", "procore_sync.wsgi:application", "--no-control-socket", "--preload", \
     "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--bind", "0.0.0.0:8000"]
