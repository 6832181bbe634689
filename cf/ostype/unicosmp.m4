divert(-1)
# unicosmp
ifdef(`LOCAL_MAILER_FLAGS', `', `define(`LOCAL_MAILER_FLAGS', `Ehm9')')
ifdef(`LOCAL_MAILER_ARGS', `', `define(`LOCAL_MAILER_ARGS', `mail -s -d $u')')
ifdef(`QUEUE_DIR', `', `define(`QUEUE_DIR', `/var/spool/mqueue')')
ifdef(`STATUS_FILE', `', `define(`STATUS_FILE', `/var/log/sendmail.st')')
define(`LOCAL_MAILER_PATH', `/usr/bin/mail')
define(`confTIME_ZONE', `USE_TZ')
define(`confEBINDIR', `/usr/lib')
