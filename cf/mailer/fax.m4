divert(-1)
# Mailer fax: user@number.FAX

ifdef(`FAX_MAILER_PATH', `', `define(`FAX_MAILER_PATH', `/usr/bin/faxmail')')
ifdef(`FAX_MAILER_ARGS', `', `define(`FAX_MAILER_ARGS', `faxmail -d $u@$h $f')')
ifdef(`FAX_MAILER_MAX', `', `define(`FAX_MAILER_MAX', `100000')')

divert(_D_CLASS_)dnl
CPFAX
divert(_D_MAILER_)
#####
##### Fax
#####

Mfax,		P=FAX_MAILER_PATH, F=_flags_(`FAX', `DFMhu'), S=14, R=24, M=FAX_MAILER_MAX,dnl
ifdef(`FAX_MAILER_QGRP', ` Q=FAX_MAILER_QGRP,')
		T=X-Phone/X-FAX/X-Unix,
		A=FAX_MAILER_ARGS
divert(-1)
