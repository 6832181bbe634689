divert(-1)
# The end of the .mc: everything that was said is put in order and written.

ifdef(`_OSTYPE_', `', `_error_(`no OSTYPE was named; look at the folder '_LIB_`ostype for the names')')
ifdef(`_MAILER_local_', `', `MAILER(`local')')
ifdef(`QUEUE_DIR', `', `define(`QUEUE_DIR', `/var/spool/mqueue')')
ifdef(`confRELAY_MAILER', `', `define(`confRELAY_MAILER', ifdef(`_MAILER_smtp_', ``relay'', ifdef(`_MAILER_uucp_', ``uucp-new'', ``unknown'')))')
include(_CF_DIR_`m4/obsolete.m4')
divert(-1)

# shorter names for rules
define(`_LOCAL_', confLOCAL_MAILER)
define(`_SMTP_', confSMTP_MAILER)
define(`_RELAY_', confRELAY_MAILER)
ifdef(`_F_blocklist_recipients_', `ifdef(`_F_delay_checks_', `ifdef(`_DELAY_STRICT_', `', `define(`_SPAM_TAGS_')')')')
ifdef(`DECNET_RELAY', `define(`_USE_DECNET_SYNTAX_')')

divert(0)dnl
include(_CF_DIR_`m4/head.m4')dnl
include(_CF_DIR_`m4/option-lines.m4')dnl
include(_CF_DIR_`m4/rewrite.m4')dnl
include(_CF_DIR_`m4/parse.m4')dnl
include(_CF_DIR_`m4/masquerade.m4')dnl
include(_CF_DIR_`m4/access.m4')dnl
include(_CF_DIR_`m4/checks.m4')dnl
include(_CF_DIR_`m4/tls.m4')dnl
include(_CF_DIR_`m4/limits.m4')dnl
include(_CF_DIR_`m4/tail.m4')dnl
ifelse(_EXIT_, 0, `', `m4exit(_EXIT_)')dnl
