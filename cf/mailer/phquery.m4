divert(-1)
# Mailer ph: names of a Ph directory

ifdef(`PH_MAILER_PATH', `', `define(`PH_MAILER_PATH', `/usr/local/etc/phquery')')
ifdef(`PH_MAILER_FLAGS', `', `define(`PH_MAILER_FLAGS', `ehmu')')
ifdef(`PH_MAILER_ARGS', `', `define(`PH_MAILER_ARGS', `phquery -- $u')')

divert(_D_MAILER_)
#####
##### Ph directory
#####

Mph,		P=PH_MAILER_PATH, F=_flags_(`PH', CONCAT(`nrDFM', PH_MAILER_FLAGS)), S=EnvFromL, R=EnvToL/HdrToL,dnl
ifdef(`PH_MAILER_QGRP', ` Q=PH_MAILER_QGRP,')
		T=DNS/RFC822/X-Unix,
		A=PH_MAILER_ARGS
divert(-1)
