"""Standard objects that are companies and people.

The header line gives name, key prefix, plural label and marks: `undelete` (has a recycle bin), `merge`, `no-bulk`,
`no-query`, and which system fields there are (`all`, `kept`: without IsDeleted, `dated`: only creation, `modstamp`:
only the stamp, `bare`: none). Then comes one line per field. The lists follow recorded describes of an Enterprise org.
"""

PEOPLE = """
User 005 Users kept
Username string 80 required
LastName string 80 in:Name required
FirstName string 40 in:Name
Name string 121 name person required
CompanyName string 80
Division string 80
Department string 80
Title string 80
Email email 128 required
Phone phone
MobilePhone phone
Alias string 8 required
TimeZoneSidKey picklist 40 required
UserType picklist 40
IsActive boolean required
ManagerId reference ->User
AboutMe textarea 1000
LastLoginDate datetime

Group 00G Groups kept
Name string 40 name required
DeveloperName string 80
Type picklist 40 required
Email email
OwnerId reference ->Organization|User

Account 001 Accounts undelete merge all
MasterRecordId reference ->Account system
Name string 255 in:Name name required
Type picklist 40 values:Prospect|Customer|Partner|Other
ParentId reference ->Account
BillingStreet textarea in:BillingAddress
BillingCity string 40 in:BillingAddress
BillingState string 80 in:BillingAddress
BillingPostalCode string 20 in:BillingAddress
BillingCountry string 80 in:BillingAddress
BillingLatitude double in:BillingAddress
BillingLongitude double in:BillingAddress
BillingGeocodeAccuracy picklist 40 in:BillingAddress
BillingAddress address
ShippingStreet textarea in:ShippingAddress
ShippingCity string 40 in:ShippingAddress
ShippingPostalCode string 20 in:ShippingAddress
ShippingCountry string 80 in:ShippingAddress
ShippingAddress address
Phone phone
Fax phone
AccountNumber string 40
Website url
PhotoUrl url system
Sic string 20
Industry picklist 40 values:Agriculture|Banking|Energy|Healthcare|Technology
AnnualRevenue currency
NumberOfEmployees int
Ownership picklist 40
TickerSymbol string 20
Description textarea 32000
Rating picklist 40 values:Hot|Warm|Cold
Site string 80
OwnerId reference ->User required
LastActivityDate date system
LastViewedDate datetime system
LastReferencedDate datetime system
AccountSource picklist 40
Tradestyle string 255

Contact 003 Contacts undelete merge all
MasterRecordId reference ->Contact system
AccountId reference ->Account
LastName string 80 in:Name required
FirstName string 40 in:Name
Salutation picklist 40 in:Name values:Mr.|Ms.|Dr.|Prof.
Name string 121 name person required
OtherStreet textarea in:OtherAddress
OtherCity string 40 in:OtherAddress
OtherState string 80 in:OtherAddress
OtherPostalCode string 20 in:OtherAddress
OtherCountry string 80 in:OtherAddress
OtherAddress address
MailingStreet textarea in:MailingAddress
MailingCity string 40 in:MailingAddress
MailingState string 80 in:MailingAddress
MailingPostalCode string 20 in:MailingAddress
MailingCountry string 80 in:MailingAddress
MailingLatitude double in:MailingAddress
MailingLongitude double in:MailingAddress
MailingGeocodeAccuracy picklist 40 in:MailingAddress
MailingAddress address
Phone phone
Fax phone
MobilePhone phone
HomePhone phone
OtherPhone phone
AssistantPhone phone
ReportsToId reference ->Contact
Email email
Title string 128
Department string 80
AssistantName string 40
LeadSource picklist values:Web|Phone_Inquiry|Partner_Referral|Other
Birthdate date
Description textarea 32000
OwnerId reference ->User required
LastActivityDate date system
LastCURequestDate datetime system
LastCUUpdateDate datetime system
LastViewedDate datetime system
LastReferencedDate datetime system
EmailBouncedReason string 255
EmailBouncedDate datetime
IsEmailBounced boolean system
PhotoUrl url system
Jigsaw string 20

Lead 00Q Leads undelete merge all
MasterRecordId reference ->Lead system
LastName string 80 in:Name required
FirstName string 40 in:Name
Salutation picklist 40 in:Name
Name string 121 name person required
Title string 128
Company string 255 required
Street textarea in:Address
City string 40 in:Address
State string 80 in:Address
PostalCode string 20 in:Address
Country string 80 in:Address
Address address
Phone phone
MobilePhone phone
Fax phone
Email email
Website url
Description textarea 32000
LeadSource picklist values:Web|Phone_Inquiry|Partner_Referral|Other
Status picklist required values:Open|Working|Closed_-_Converted|Closed_-_Not_Converted
Industry picklist
Rating picklist values:Hot|Warm|Cold
AnnualRevenue currency
NumberOfEmployees int
OwnerId reference ->Group|User required
IsConverted boolean required
ConvertedDate date
ConvertedAccountId reference ->Account
ConvertedContactId reference ->Contact
ConvertedOpportunityId reference ->Opportunity
IsUnreadByOwner boolean
LastActivityDate date system
EmailBouncedReason string 255
EmailBouncedDate datetime
"""
