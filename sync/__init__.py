"""memsync: copies records from Salesforce, HubSpot and Postgres into Personize memory."""

__version__ = "0.1.0"
