divert(-1)
# `FEATURE(`local_lmtp', [path], [arguments])': the local mailer speaks LMTP
ifdef(`_MAILER_local_', `_error_(`FEATURE(local_lmtp) must stand before MAILER(local)')')
define(`_LOCAL_LMTP_')
define(`LOCAL_MAILER_PATH', ifelse(_ARG_, `', `confEBINDIR`/mail.local'', `_ARG_'))
define(`LOCAL_MAILER_FLAGS', `PSXmnz9')
define(`LOCAL_MAILER_ARGS', ifelse(_ARG2_, `', `mail.local -l', `_ARG2_'))
define(`LOCAL_MAILER_DSN_DIAGNOSTIC_CODE', `SMTP')
