divert(-1)
# dgux
ifdef(`LOCAL_MAILER_FLAGS', `', `define(`LOCAL_MAILER_FLAGS', `m9')')
define(`confTIME_ZONE', `USE_TZ')
define(`confEBINDIR', `/usr/lib')
PUSHDIVERT(_D_CONFIG_)dnl
E_FORCE_MAIL_LOCAL_=yes
POPDIVERT
