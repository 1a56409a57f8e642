"""The standard object types and what their records have: one line per property, `name type fieldType flags`."""

ACTIVITIES = """
hs_timestamp datetime date
hs_body_preview string text calculated
hs_body_preview_html string html calculated
hs_body_preview_is_truncated bool booleancheckbox calculated
hs_gdpr_deleted bool booleancheckbox calculated
hs_attachment_ids enumeration checkbox
"""

_CONTACTS = """
email string text unique
firstname string text
lastname string text
phone string phonenumber
mobilephone string phonenumber
jobtitle string text
company string text
website string text
city string text
country string text
annualrevenue string text
message string textarea multiline
notes_last_contacted datetime date calculated
num_associated_deals number number calculated
num_notes number number calculated
days_to_close number number calculated
lifecyclestage enumeration radio options=subscriber;lead;marketingqualifiedlead;opportunity;customer
hs_lead_status enumeration radio options=NEW;OPEN;IN_PROGRESS;CONNECTED;BAD_TIMING
hs_email_optout bool booleancheckbox
hs_additional_emails enumeration checkbox
hs_calculated_merged_vids enumeration text calculated
hs_quarantined_emails string textarea calculated
hs_content_membership_notes string textarea
date_of_birth string text
health_notes string textarea sensitive
"""

_COMPANIES = """
name string text
domain string text
website string text
phone string phonenumber
industry enumeration select options=COMPUTER_SOFTWARE;BANKING;CONSTRUCTION;HOSPITALITY;FOOD_PRODUCTION
city string text
country string text
description string textarea multiline
about_us string textarea multiline
annualrevenue number number currency
numberofemployees number number
lifecyclestage enumeration radio options=subscriber;lead;opportunity;customer
"""

_DEALS = """
dealname string text
amount number number currency
dealstage enumeration radio options=appointmentscheduled;qualifiedtobuy;contractsent;closedwon;closedlost
pipeline enumeration select options=default
closedate datetime date
description string textarea multiline
closed_lost_reason string textarea
closed_won_reason string textarea
hs_next_step string text
hs_is_closed bool calculation_equation calculated
"""

_TICKETS = """
subject string text
content string textarea multiline
hs_pipeline enumeration select options=0
hs_pipeline_stage enumeration radio options=1;2;3;4
hs_ticket_priority enumeration select options=LOW;MEDIUM;HIGH
source_type enumeration select options=CHAT;EMAIL;FORM;PHONE
"""

_NOTES = """
hs_note_body string html
"""

_CALLS = """
hs_call_title string text
hs_call_body string html
hs_call_summary string textarea
hs_call_direction enumeration select options=INBOUND;OUTBOUND
hs_call_duration number number
hs_call_status enumeration select options=COMPLETED;MISSED;BUSY
hs_call_has_transcript bool booleancheckbox
hs_call_transcription_id number number
"""

_EMAILS = """
hs_email_subject string text
hs_email_text string textarea
hs_email_html string html
hs_email_direction enumeration select options=EMAIL;INCOMING_EMAIL;FORWARDED_EMAIL
hs_email_status enumeration select options=SENT;BOUNCED
hs_email_from_email string text calculated
hs_email_to_email string text calculated
hs_email_cc_email string text calculated
hs_email_headers string textarea
"""

_MEETINGS = """
hs_meeting_title string text
hs_meeting_body string html
hs_internal_meeting_notes string html
hs_meeting_location string text
hs_meeting_outcome enumeration select options=SCHEDULED;COMPLETED;CANCELED
hs_meeting_start_time datetime date
hs_meeting_end_time datetime date
"""

_TASKS = """
hs_task_subject string text
hs_task_body string html
hs_task_status enumeration select options=NOT_STARTED;COMPLETED
hs_task_priority enumeration select options=LOW;MEDIUM;HIGH
"""

_COMMUNICATIONS = """
hs_communication_body string html
hs_communication_channel_type enumeration select options=SMS;WHATS_APP;LINKEDIN_MESSAGE
hs_communication_logged_from enumeration select options=CRM
"""

_BY_CONTACT = "crm.objects.contacts.read"
_HS = ("hs_createdate", "hs_lastmodifieddate")
_CRM = ("createdate", "hs_lastmodifieddate")

STANDARD = [
    # type id, name, scope that reads it, created and modified stamp, default properties, properties
    ("0-1", "contacts", _BY_CONTACT, "createdate", "lastmodifieddate", "email firstname lastname", _CONTACTS),
    ("0-2", "companies", "crm.objects.companies.read", *_CRM, "domain name", _COMPANIES),
    ("0-3", "deals", "crm.objects.deals.read", *_CRM, "amount closedate dealname dealstage pipeline", _DEALS),
    ("0-5", "tickets", "tickets", *_CRM, "content hs_pipeline hs_pipeline_stage hs_ticket_priority subject", _TICKETS),
    ("0-46", "notes", _BY_CONTACT, *_HS, "", _NOTES),
    ("0-48", "calls", _BY_CONTACT, *_HS, "", _CALLS),
    ("0-49", "emails", _BY_CONTACT, *_HS, "", _EMAILS),
    ("0-47", "meetings", _BY_CONTACT, *_HS, "", _MEETINGS),
    ("0-27", "tasks", _BY_CONTACT, *_HS, "", _TASKS),
    ("0-18", "communications", _BY_CONTACT, *_HS, "", _COMMUNICATIONS),
]

EMAIL_CONTENT = ("hs_email_subject", "hs_email_text", "hs_email_html", "hs_email_headers")
"""What is withheld from a token without `sales-email-read`."""

LINK_TYPES = {
    # (from, to): the type ids of the plain association in both directions
    ("0-46", "0-1"): (202, 201),
    ("0-48", "0-1"): (194, 193),
    ("0-49", "0-1"): (198, 197),
    ("0-47", "0-1"): (200, 199),
    ("0-27", "0-1"): (204, 203),
    ("0-18", "0-1"): (81, 82),
    ("0-46", "0-2"): (190, 189),
    ("0-48", "0-2"): (182, 181),
    ("0-49", "0-2"): (186, 185),
    ("0-47", "0-2"): (188, 187),
    ("0-27", "0-2"): (192, 191),
    ("0-18", "0-2"): (87, 88),
    ("0-46", "0-3"): (214, 213),
    ("0-48", "0-3"): (206, 205),
    ("0-49", "0-3"): (210, 209),
    ("0-47", "0-3"): (212, 211),
    ("0-27", "0-3"): (216, 215),
    ("0-18", "0-3"): (85, 86),
    ("0-46", "0-5"): (228, 227),
    ("0-48", "0-5"): (220, 219),
    ("0-49", "0-5"): (224, 223),
    ("0-1", "0-2"): (279, 280),
    ("0-3", "0-1"): (3, 4),
    ("0-3", "0-2"): (341, 342),
    ("0-5", "0-1"): (16, 15),
    ("0-5", "0-2"): (339, 340),
}

PRIMARY = {("0-1", "0-2"): (1, 2), ("0-3", "0-2"): (5, 6), ("0-5", "0-2"): (26, 25)}
"""Likewise, of the association that is labelled Primary."""
