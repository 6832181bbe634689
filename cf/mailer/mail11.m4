divert(-1)
# Mailer mail11: DECnet

ifdef(`MAIL11_MAILER_PATH', `', `define(`MAIL11_MAILER_PATH', `/usr/etc/mail11')')
ifdef(`MAIL11_MAILER_FLAGS', `', `define(`MAIL11_MAILER_FLAGS', `nsFx')')
ifdef(`MAIL11_MAILER_ARGS', `', `define(`MAIL11_MAILER_ARGS', `mail11 $g $x $h $u')')
define(`_USE_DECNET_SYNTAX_')
define(`_LOCAL_', `ifdef(`confLOCAL_MAILER', `confLOCAL_MAILER', `local')')

divert(_D_CLASS_)dnl
CPDECNET
divert(_D_RULE0_)
# nodes of DECnet
R$+ <@ $+ .DECNET. >	$# mail11 $@ $2 $: $1

divert(_D_MAILER_)
#####
##### DECnet
#####

# users of this host need no host
SMail11From
R$+			$: $>Mail11To $1

SMail11To
R$+ <@ $=w . >		$: $1
R$+ <@ $- .DECNET >	$: $2 :: $1

Mmail11,	P=MAIL11_MAILER_PATH, F=_flags_(`MAIL11', MAIL11_MAILER_FLAGS), S=Mail11From, R=Mail11To,dnl
ifdef(`MAIL11_MAILER_QGRP', ` Q=MAIL11_MAILER_QGRP,')
		T=DNS/X-DECnet/X-Unix,
		A=MAIL11_MAILER_ARGS
divert(-1)
