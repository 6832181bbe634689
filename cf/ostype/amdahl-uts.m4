divert(-1)
# amdahl-uts
ifdef(`LOCAL_MAILER_FLAGS', `', `define(`LOCAL_MAILER_FLAGS', `fSn9')')
define(`confEBINDIR', `/usr/lib')
