"""Standard objects that hold messages and files, and some unusual ones; `objects_people` explains the lines."""

MESSAGES = """
EmailMessage 02s Email_Messages undelete all
ParentId reference ->Case
ActivityId reference ->Task
TextBody textarea 32000
HtmlBody textarea 131072 html
Headers textarea 32000
Subject string 3000
FromName string 1000
FromAddress email 1000
ToAddress string 4000
CcAddress string 4000
BccAddress string 4000
Incoming boolean
HasAttachment boolean system
Status picklist 40 required
MessageDate datetime
ReplyToEmailMessageId reference ->EmailMessage
RelatedToId reference ->Account|Campaign|Case|Opportunity

EmailMessageRelation 0EM Email_Message_Relations all
EmailMessageId reference ->EmailMessage required
RelationId reference ->Contact|Lead|User
RelationType picklist 40 required
RelationAddress email 1000
RelationObjectType picklist 40

Note 002 Notes undelete all
ParentId reference ->Account|Case|Contact|Lead|Opportunity
Title string 80 name required
IsPrivate boolean
Body textarea 32000
OwnerId reference ->User required

Attachment 00P Attachments no-bulk undelete all
ParentId reference ->Account|Case|Contact|Lead|Opportunity|Task
Name string 255 name required
ContentType string 120
BodyLength int system
Body base64 required
Description textarea 500
OwnerId reference ->User required

ContentNote 069 Notes all
Title string 255 name required
TextPreview string 255 system
Content base64
LatestPublishedVersionId reference ->ContentVersion
OwnerId reference ->User required

ContentVersion 068 Content_Versions all
ContentDocumentId reference ->ContentDocument
Title string 255 name required
VersionData base64
FileType string 20 system
IsLatest boolean system
OwnerId reference ->User required

ContentDocument 069 Content_Documents all
Title string 255 name required
LatestPublishedVersionId reference ->ContentVersion
OwnerId reference ->User required

ContentDocumentLink 06A Content_Document_Links modstamp
LinkedEntityId reference ->Account|Case|Contact|Lead|Opportunity|User required
ContentDocumentId reference ->ContentDocument required
ShareType picklist 40
Visibility picklist 40

FeedItem 0D5 Feed_Items all
ParentId reference ->Account|Case|Contact|Lead|Opportunity|User required
Type picklist 40
Title string 255
Body textarea 10000 html

FeedComment 0D7 Feed_Comments all
FeedItemId reference ->FeedItem required
ParentId reference ->Account|Case|Contact|Lead|Opportunity|User required
CommentBody textarea 10000 html

LoginHistory 0Ya Login_History bare
UserId reference ->User as:-
LoginTime datetime
LoginType picklist 40
SourceIp string 39
Status string 128

CaseStatus 01J Case_Status_Values no-bulk kept
MasterLabel string 255 name
ApiName string 255
SortOrder int
IsDefault boolean
IsClosed boolean

ActivityHistory 007 Activity_Histories no-query all
Subject combobox 255
Description textarea 32000

ContactHistory 03h Contact_History dated
ContactId reference ->Contact required
Field picklist 255
OldValue anyType
NewValue anyType

ContactChangeEvent - Contact_Change_Events no-query bare
ReplayId string 255
"""
