"""A stand-in for HubSpot: its CRM endpoints on 127.0.0.1, as strict and as odd as the real ones.

In tests `with HubSpot() as crm`; from a terminal `python -m tests.doubles.hubspot --contacts 25000`.
"""

from .answers import html, problem, too_many
from .options import PLANS, Limits, Options
from .permissions import WORDINGS, missing_scope
from .server import HubSpot

__all__ = ["PLANS", "WORDINGS", "HubSpot", "Limits", "Options", "html", "missing_scope", "problem", "too_many"]
