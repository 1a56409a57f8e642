"""Standard objects for what is done: deals, cases, activities; `objects_people` explains the lines."""

WORK = """
Campaign 701 Campaigns undelete all
Name string 80 name required
Type picklist 40
Status picklist 40
StartDate date
Description textarea 32000
OwnerId reference ->User required

Opportunity 006 Opportunities undelete all
AccountId reference ->Account
IsPrivate boolean
Name string 120 name required
Description textarea 32000
StageName picklist required values:Prospecting|Qualification|Negotiation|Closed_Won|Closed_Lost
Amount currency
Probability percent
ExpectedRevenue currency
TotalOpportunityQuantity double
CloseDate date required
Type picklist
NextStep string 255
LeadSource picklist
IsClosed boolean system
IsWon boolean system
ForecastCategory picklist 40
CampaignId reference ->Campaign
OwnerId reference ->User required
LastActivityDate date system
FiscalQuarter int in:Fiscal
FiscalYear int in:Fiscal
Fiscal string 6
ContactId reference ->Contact as:-

OpportunityContactRole 00K Opportunity_Contact_Roles undelete all
OpportunityId reference ->Opportunity required
ContactId reference ->Contact required
Role picklist 40
IsPrimary boolean

Case 500 Cases undelete all
MasterRecordId reference ->Case system
CaseNumber string 30 name auto system
ContactId reference ->Contact
AccountId reference ->Account
ParentId reference ->Case
SuppliedName string 80
SuppliedEmail email
SuppliedPhone string 40
SuppliedCompany string 80
Type picklist 40
Status picklist 40 values:New|Working|Escalated|Closed
Reason picklist 40
Origin picklist 40 values:Phone|Email|Web
Subject string 255
Priority picklist 40 values:High|Medium|Low
Description textarea 32000
IsClosed boolean system
ClosedDate datetime
IsEscalated boolean
OwnerId reference ->Group|User required
ContactPhone phone shows:Contact.Phone
ContactMobile phone shows:Contact.MobilePhone
ContactEmail email shows:Contact.Email
ContactFax phone shows:Contact.Fax
Comments textarea 4000
LastViewedDate datetime system

CaseComment 00a Case_Comments all
ParentId reference ->Case required
IsPublished boolean
CommentBody textarea 4000

Task 00T Tasks undelete all
WhoId reference ->Contact|Lead
WhatId reference ->Account|Campaign|Case|Opportunity
Subject combobox 255
ActivityDate date
Status picklist 40 required values:Not_Started|In_Progress|Completed|Deferred
Priority picklist 40 required values:High|Normal|Low
IsHighPriority boolean system
OwnerId reference ->Group|User required
Description textarea 32000
Type picklist 40
AccountId reference ->Account
IsClosed boolean system
CompletedDateTime datetime system
IsArchived boolean system
CallDurationInSeconds int
CallType picklist 40
CallDisposition string 255
ReminderDateTime datetime
IsReminderSet boolean
TaskSubtype picklist 40 values:Task|Email|Call
IsRecurrence boolean

Event 00U Events undelete all
WhoId reference ->Contact|Lead
WhatId reference ->Account|Campaign|Case|Opportunity
Subject combobox 255
Location string 255
IsAllDayEvent boolean
ActivityDateTime datetime
ActivityDate date
DurationInMinutes int
StartDateTime datetime
EndDateTime datetime
Description textarea 32000
AccountId reference ->Account
OwnerId reference ->Calendar|User required
IsPrivate boolean
ShowAs picklist 40
IsChild boolean system
IsGroupEvent boolean
IsArchived boolean system
RecurrenceActivityId reference ->Event as:-
EventSubtype picklist 40
Recurrence2PatternText textarea 512

TaskRelation 0RT Task_Relations all
TaskId reference ->Task required
RelationId reference ->Account|Campaign|Case|Contact|Lead|Opportunity
IsWhat boolean
AccountId reference ->Account

EventRelation 0RE Event_Relations all
EventId reference ->Event required
RelationId reference ->Account|Contact|Lead|Opportunity|User
IsWhat boolean
IsParent boolean
IsInvitee boolean
Status picklist 40
AccountId reference ->Account

TaskWhoRelation 0TW Task_Who_Relations no-bulk all
TaskId reference ->Task required
RelationId reference ->Contact|Lead
Type picklist 40

EventWhoRelation 0EW Event_Who_Relations no-bulk all
EventId reference ->Event required
RelationId reference ->Contact|Lead
Type picklist 40
"""
