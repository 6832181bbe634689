divert(-1)
# Mailer cyrusv2: mailboxes of the Cyrus server, by LMTP

ifdef(`CYRUSV2_MAILER_FLAGS', `', `define(`CYRUSV2_MAILER_FLAGS', `A@/:|m')')
ifdef(`CYRUSV2_MAILER_ARGS', `', `define(`CYRUSV2_MAILER_ARGS', `FILE /var/run/cyrus/socket/lmtp')')

divert(_D_MAILER_)
#####
##### Cyrus, by LMTP
#####

Mcyrusv2,	P=[IPC], F=_flags_(`CYRUSV2', CONCAT(`lsDFMnqXz', CYRUSV2_MAILER_FLAGS)), S=EnvFromSMTP/HdrFromL, R=EnvToL/HdrToL, E=\r\n,dnl
ifdef(`CYRUSV2_MAILER_MAXMSGS', ` m=CYRUSV2_MAILER_MAXMSGS,')dnl
ifdef(`CYRUSV2_MAILER_MAXRCPTS', ` r=CYRUSV2_MAILER_MAXRCPTS,')dnl
ifdef(`CYRUSV2_MAILER_CHARSET', ` C=CYRUSV2_MAILER_CHARSET,')dnl
ifdef(`CYRUSV2_MAILER_QGRP', ` Q=CYRUSV2_MAILER_QGRP,')
		T=DNS/RFC822/SMTP,
		A=CYRUSV2_MAILER_ARGS
divert(-1)
