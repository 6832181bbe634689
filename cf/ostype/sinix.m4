divert(-1)
# sinix
ifdef(`QUEUE_DIR', `', `define(`QUEUE_DIR', `/var/spool/mqueue')')
define(`LOCAL_MAILER_PATH', `/bin/mail.local')
ifdef(`STATUS_FILE', `', `define(`STATUS_FILE', `/var/sendmail.st')')
define(`confEBINDIR', `/usr/ucblib')
