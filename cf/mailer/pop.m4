divert(-1)
# Mailer pop: user@POP goes to the server of mailboxes of the MH system

ifdef(`POP_MAILER_PATH', `', `define(`POP_MAILER_PATH', `/usr/lib/mh/spop')')
ifdef(`POP_MAILER_FLAGS', `', `define(`POP_MAILER_FLAGS', `Penu')')
ifdef(`POP_MAILER_ARGS', `', `define(`POP_MAILER_ARGS', `pop $u')')

divert(_D_CLASS_)dnl
CPPOP
divert(_D_MAILER_)
#####
##### POP of MH
#####

Mpop,		P=POP_MAILER_PATH, F=_flags_(`POP', CONCAT(`lsDFMq', POP_MAILER_FLAGS)), S=EnvFromL, R=EnvToL/HdrToL,dnl
ifdef(`POP_MAILER_QGRP', ` Q=POP_MAILER_QGRP,')
		T=DNS/RFC822/X-Unix,
		A=POP_MAILER_ARGS
divert(-1)
