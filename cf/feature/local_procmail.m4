divert(-1)
# `FEATURE(`local_procmail', [path], [arguments], [flags])': procmail is the local mailer
ifdef(`_MAILER_local_', `_error_(`FEATURE(local_procmail) must stand before MAILER(local)')')
ifdef(`_LOCAL_LMTP_', `undefine(`_LOCAL_LMTP_')undefine(`LOCAL_MAILER_DSN_DIAGNOSTIC_CODE')')
define(`LOCAL_MAILER_PATH', ifelse(_ARG_, `', `ifdef(`PROCMAIL_MAILER_PATH', `PROCMAIL_MAILER_PATH', `ifdef(`PROCMAIL_PATH', `PROCMAIL_PATH', `/usr/local/bin/procmail')')', `_ARG_'))
define(`LOCAL_MAILER_FLAGS', ifelse(_ARG3_, `', `SPfhn9', `_ARG3_'))
define(`LOCAL_MAILER_ARGS', ifelse(_ARG2_, `', `procmail -a $h -d $u', `_ARG2_'))
