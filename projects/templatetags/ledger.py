"""Template tags for money, dates and ERP icons."""

from django import template

register = template.Library()
