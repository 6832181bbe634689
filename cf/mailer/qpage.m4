divert(-1)
# Mailer qpage: pagers

ifdef(`QPAGE_MAILER_PATH', `', `define(`QPAGE_MAILER_PATH', `/usr/local/bin/qpage')')
ifdef(`QPAGE_MAILER_FLAGS', `', `define(`QPAGE_MAILER_FLAGS', `mDFMs')')
ifdef(`QPAGE_MAILER_ARGS', `', `define(`QPAGE_MAILER_ARGS', `qpage -l0 -m -P$u')')
ifdef(`QPAGE_MAILER_MAX', `', `define(`QPAGE_MAILER_MAX', `4096')')

divert(_D_MAILER_)
#####
##### Pagers
#####

Mqpage,		P=QPAGE_MAILER_PATH, F=_flags_(`QPAGE', QPAGE_MAILER_FLAGS), M=QPAGE_MAILER_MAX,dnl
ifdef(`QPAGE_MAILER_QGRP', ` Q=QPAGE_MAILER_QGRP,')
		T=DNS/RFC822/X-Unix,
		A=QPAGE_MAILER_ARGS
divert(-1)
