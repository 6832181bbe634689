divert(-1)
# osf1
ifdef(`STATUS_FILE', `', `define(`STATUS_FILE', `/usr/adm/sendmail/sendmail.st')')
define(`confDEF_USER_ID', `daemon')
define(`confEBINDIR', `/usr/lbin')
