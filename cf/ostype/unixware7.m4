divert(-1)
# unixware7
ifdef(`QUEUE_DIR', `', `define(`QUEUE_DIR', `/var/spool/mqueue')')
define(`confEBINDIR', `/usr/lib')
define(`confTIME_ZONE', `USE_TZ')
ifdef(`LOCAL_MAILER_PATH', `', `define(`LOCAL_MAILER_PATH', `/etc/mail/slocal')')
ifdef(`LOCAL_MAILER_FLAGS', `', `define(`LOCAL_MAILER_FLAGS', `Puho9')')
ifdef(`LOCAL_MAILER_ARGS', `', `define(`LOCAL_MAILER_ARGS', `slocal -user $u')')
ifdef(`LOCAL_SHELL_FLAGS', `', `define(`LOCAL_SHELL_FLAGS', `Peu')')
