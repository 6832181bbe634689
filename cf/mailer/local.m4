divert(-1)
# The local mailers: mailboxes of this host, and programs named in aliases and .forward files

ifdef(`LOCAL_MAILER_PATH', `', `define(`LOCAL_MAILER_PATH', `/bin/mail')')
ifdef(`LOCAL_MAILER_FLAGS', `', `define(`LOCAL_MAILER_FLAGS', `Prmn9')')
ifdef(`LOCAL_MAILER_ARGS', `', `define(`LOCAL_MAILER_ARGS', `mail -d $u')')
ifdef(`LOCAL_MAILER_DSN_DIAGNOSTIC_CODE', `', `define(`LOCAL_MAILER_DSN_DIAGNOSTIC_CODE', `X-Unix')')
ifdef(`LOCAL_SHELL_PATH', `', `define(`LOCAL_SHELL_PATH', `/bin/sh')')
ifdef(`LOCAL_SHELL_FLAGS', `', `define(`LOCAL_SHELL_FLAGS', `eu9')')
ifdef(`LOCAL_SHELL_ARGS', `', `define(`LOCAL_SHELL_ARGS', `sh -c $u')')
ifdef(`LOCAL_SHELL_DIR', `', `define(`LOCAL_SHELL_DIR', `$z:/')')

divert(_D_MAILER_)
#####
##### Local mailers
#####

# senders of envelopes
SEnvFromL
R<@>			$n
R@ <@ $* >		$n
ifdef(`_F_always_add_domain_', `R$+			$: $>AddDomain $1
')dnl
ifdef(`_F_local_no_masquerade_', `', `R$*			$: $>MasqEnv $1')

# recipients of envelopes: the host is of no use to the mailer
SEnvToL
R$+ <@ $* > $*		$: $1 $3
R<@ $+ > $+		$: $2

# senders of headers
SHdrFromL
R<@>			$n
R@ <@ $* >		$n
ifdef(`_F_always_add_domain_', `R$+			$: $>AddDomain $1
')dnl
ifdef(`_F_local_no_masquerade_', `', `R$*			$: $>MasqHdr $1')

# recipients of headers
SHdrToL
ifdef(`_F_always_add_domain_', `R$+			$: $>AddDomain $1
')dnl
ifdef(`_F_allmasquerade_', `ifdef(`_F_local_no_masquerade_', `', `R$*			$: $>MasqHdr $1
')', `R$* <@ *LOCAL* > $*	$: $1 <@ $j . > $2
')dnl

ifdef(`_F_always_add_domain_', `# _FROM_(`FEATURE', `always_add_domain'): names without a host get one
SAddDomain
R$* <@ $* > $*		$@ $1 <@ $2 > $3
R$+			$@ $1 <@ _ALWAYS_ADD_DOMAIN_ >
')dnl

Mlocal,		P=LOCAL_MAILER_PATH, F=_flags_(`LOCAL', CONCAT(_DEF_LOCAL_MAILER_FLAGS, LOCAL_MAILER_FLAGS)), S=ifdef(`_LOCAL_LMTP_', `EnvFromSMTP', `EnvFromL')/HdrFromL, R=EnvToL/HdrToL,dnl
ifdef(`LOCAL_MAILER_EOL', ` E=LOCAL_MAILER_EOL,')dnl
ifdef(`LOCAL_MAILER_MAX', ` M=LOCAL_MAILER_MAX,')dnl
ifdef(`LOCAL_MAILER_MAXMSGS', ` m=LOCAL_MAILER_MAXMSGS,')dnl
ifdef(`LOCAL_MAILER_MAXRCPTS', ` r=LOCAL_MAILER_MAXRCPTS,')dnl
ifdef(`LOCAL_MAILER_CHARSET', ` C=LOCAL_MAILER_CHARSET,')dnl
ifdef(`LOCAL_MAILER_QGRP', ` Q=LOCAL_MAILER_QGRP,')
		T=DNS/RFC822/LOCAL_MAILER_DSN_DIAGNOSTIC_CODE,
		A=LOCAL_MAILER_ARGS
Mprog,		P=LOCAL_SHELL_PATH, F=_flags_(`SHELL', CONCAT(_DEF_LOCAL_SHELL_FLAGS, LOCAL_SHELL_FLAGS)), S=EnvFromL/HdrFromL, R=EnvToL/HdrToL, D=LOCAL_SHELL_DIR,dnl
ifdef(`LOCAL_MAILER_MAX', ` M=LOCAL_MAILER_MAX,')dnl
ifdef(`LOCAL_PROG_QGRP', ` Q=LOCAL_PROG_QGRP,')
		T=X-Unix/X-Unix/X-Unix,
		A=LOCAL_SHELL_ARGS
divert(-1)
