"""A company with everything in it, for looking around (``manage.py load_demo``)."""
