"""What ``dev.py`` is made of: everything the application needs on one machine.

Standard library only, because it runs before anything is installed.
"""
