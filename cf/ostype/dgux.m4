divert(-1)
# dgux
ifdef(`LOCAL_MAILER_FLAGS', `', `define(`LOCAL_MAILER_FLAGS', `m9')')
define(`confTIME_ZONE', `USE_TZ')
define(`confEBINDIR', `/usr/lib')
