divert(-1)
# irix6
ifdef(`LOCAL_MAILER_FLAGS', `', `define(`LOCAL_MAILER_FLAGS', `Ehmu9')')
ifdef(`LOCAL_MAILER_ARGS', `', `define(`LOCAL_MAILER_ARGS', `mail -s -d $u')')
ifdef(`QUEUE_DIR', `', `define(`QUEUE_DIR', `/var/spool/mqueue')')
ifdef(`STATUS_FILE', `', `define(`STATUS_FILE', `/var/sendmail.st')')
define(`confDEF_USER_ID', `998:998')
define(`confTIME_ZONE', `USE_TZ')
define(`confEBINDIR', `/usr/lib')
