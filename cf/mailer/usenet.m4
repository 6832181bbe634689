divert(-1)
# Mailer usenet: group.usenet is posted to a news group

ifdef(`USENET_MAILER_PATH', `', `define(`USENET_MAILER_PATH', `/usr/lib/news/inews')')
ifdef(`USENET_MAILER_FLAGS', `', `define(`USENET_MAILER_FLAGS', `rsDFMmn')')
ifdef(`USENET_MAILER_ARGS', `', `define(`USENET_MAILER_ARGS', `inews -m -h -n')')

divert(_D_MAILER_)
#####
##### News
#####

Musenet,	P=USENET_MAILER_PATH, F=_flags_(`USENET', USENET_MAILER_FLAGS), S=EnvFromL, R=EnvToL,dnl
ifdef(`USENET_MAILER_MAX', ` M=USENET_MAILER_MAX,')dnl
ifdef(`USENET_MAILER_QGRP', ` Q=USENET_MAILER_QGRP,')
		T=X-Usenet/X-Usenet/X-Unix,
		A=USENET_MAILER_ARGS $u
divert(-1)
