divert(-1)
# Mailer procmail: a filter that a mailertable entry names, procmail:/etc/procmailrcs/some.rc

ifdef(`PROCMAIL_MAILER_PATH', `', `define(`PROCMAIL_MAILER_PATH', ifdef(`PROCMAIL_PATH', `PROCMAIL_PATH', `/usr/local/bin/procmail'))')
ifdef(`PROCMAIL_MAILER_FLAGS', `', `define(`PROCMAIL_MAILER_FLAGS', `SPhnu9')')
ifdef(`PROCMAIL_MAILER_ARGS', `', `define(`PROCMAIL_MAILER_ARGS', `procmail -Y -m $h $f $u')')

divert(_D_MAILER_)
#####
##### Procmail as a mailer of its own
#####

Mprocmail,	P=PROCMAIL_MAILER_PATH, F=_flags_(`PROCMAIL', CONCAT(`DFM', PROCMAIL_MAILER_FLAGS)), S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP/HdrFromSMTP,dnl
ifdef(`PROCMAIL_MAILER_MAX', ` M=PROCMAIL_MAILER_MAX,')dnl
ifdef(`PROCMAIL_MAILER_QGRP', ` Q=PROCMAIL_MAILER_QGRP,')
		T=DNS/RFC822/X-Unix,
		A=PROCMAIL_MAILER_ARGS
divert(-1)
