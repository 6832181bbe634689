divert(-1)
# Mailers cyrus and cyrusbb: mailboxes and bulletin boards of the Cyrus server, by its deliver program

ifdef(`CYRUS_MAILER_PATH', `', `define(`CYRUS_MAILER_PATH', `/usr/sbin/cyrdeliver')')
ifdef(`CYRUS_MAILER_FLAGS', `', `define(`CYRUS_MAILER_FLAGS', `Ah5@/:|')')
ifdef(`CYRUS_MAILER_ARGS', `', `define(`CYRUS_MAILER_ARGS', `cyrdeliver -e -m $h -- $u')')
ifdef(`CYRUS_MAILER_USER', `', `define(`CYRUS_MAILER_USER', `cyrus:mail')')
ifdef(`CYRUS_BB_MAILER_FLAGS', `', `define(`CYRUS_BB_MAILER_FLAGS', `u')')
ifdef(`CYRUS_BB_MAILER_ARGS', `', `define(`CYRUS_BB_MAILER_ARGS', `cyrdeliver -e -m $u')')

divert(_D_MAILER_)
#####
##### Cyrus
#####

Mcyrus,		P=CYRUS_MAILER_PATH, F=_flags_(`CYRUS', CONCAT(`lsDFMnPq', CYRUS_MAILER_FLAGS)), S=EnvFromL, R=EnvToL/HdrToL,dnl
ifdef(`CYRUS_MAILER_MAX', ` M=CYRUS_MAILER_MAX,')dnl
ifdef(`CYRUS_MAILER_QGRP', ` Q=CYRUS_MAILER_QGRP,')
		U=CYRUS_MAILER_USER, T=DNS/RFC822/X-Unix,
		A=CYRUS_MAILER_ARGS
Mcyrusbb,	P=CYRUS_MAILER_PATH, F=_flags_(`CYRUSBB', CONCAT(`lsDFMnP', CYRUS_BB_MAILER_FLAGS)), S=EnvFromL, R=EnvToL/HdrToL,dnl
ifdef(`CYRUS_MAILER_MAX', ` M=CYRUS_MAILER_MAX,')dnl
ifdef(`CYRUS_MAILER_QGRP', ` Q=CYRUS_MAILER_QGRP,')
		U=CYRUS_MAILER_USER, T=DNS/RFC822/X-Unix,
		A=CYRUS_BB_MAILER_ARGS
divert(-1)
