"""A stand-in Salesforce: logins, describe, executed SOQL, REST pages, Bulk 2.0 jobs, limits, failures."""

from .org import Salesforce

__all__ = ["Salesforce"]
