divert(-1)
# Mailers uucp-old, uucp-new, uucp-dom, uucp-uudom: neighbours by UUCP

ifdef(`UUCP_MAILER_PATH', `', `define(`UUCP_MAILER_PATH', `/usr/bin/uux')')
ifdef(`UUCP_MAILER_ARGS', `', `define(`UUCP_MAILER_ARGS', `uux - -r -a$g -gC $h!rmail ($u)')')
ifdef(`UUCP_MAILER_FLAGS', `', `define(`UUCP_MAILER_FLAGS')')
ifdef(`UUCP_MAILER_MAX', `', `define(`UUCP_MAILER_MAX', ifdef(`UUCP_MAX_SIZE', `UUCP_MAX_SIZE', `100000'))')
ifdef(`_F_nouucp_', `_error_(`MAILER(uucp) does not go together with FEATURE(nouucp)')')

# _uucp_mailer_(name, flags, S=, R=)
define(`_uucp_mailer_', `M$1,		P=UUCP_MAILER_PATH, F=_flags_(`UUCP', CONCAT(`$2', UUCP_MAILER_FLAGS)), S=$3, R=$4,ifdef(`UUCP_MAILER_MAX', ` M=UUCP_MAILER_MAX,')ifdef(`UUCP_MAILER_CHARSET', ` C=UUCP_MAILER_CHARSET,')ifdef(`UUCP_MAILER_QGRP', ` Q=UUCP_MAILER_QGRP,')
		T=X-UUCP/X-UUCP/X-Unix,
		A=UUCP_MAILER_ARGS')

divert(_D_UUCP_)
# neighbours: class Z takes addresses of the Internet, class Y several recipients at a time, class U neither
ifdef(`_MAILER_smtp_', `R$* <@ $=Z . UUCP. > $*	$# uucp-uudom $@ $2 $: $1 <@ $2 .UUCP. > $3
')dnl
R$* <@ $=Y . UUCP. > $*	$# uucp-new $@ $2 $: $1 <@ $2 .UUCP. > $3
R$* <@ $=U . UUCP. > $*	$# uucp-old $@ $2 $: $1 <@ $2 .UUCP. > $3

divert(_D_MAILER_)
#####
##### UUCP mailers
#####

# senders: a path that begins with our name
SFromU
R: ; <@>		$@
R$* <@ $* . >		$1 <@ $2 >
R$* <@ $=w >		$1
R<@ $- . UUCP > : $+	$1 ! $2
R<@ $+ > : $+		$1 ! $2
R$* <@ $- . UUCP >	$2 ! $1
R$* <@ $+ >		$2 ! $1

R$&h ! $+ ! $+		$@ $1 ! $2
R$&h ! $+		$@ $&h ! $1
R$+			$: $U ! $1
R! $+			$: $k ! $1
R$@			$: $n

# recipients of envelopes: a path
SEnvToU
R$* <@ $* . >		$1 <@ $2 >
R$* <@ $=w >		$1
R<@ $- . UUCP > : $+	$1 ! $2
R<@ $+ > : $+		$1 ! $2
R$* <@ $- . UUCP >	$2 ! $1
R$* <@ $+ >		$2 ! $1

# recipients of headers: a path that begins with our name
SHdrToU
R: ; <@>		$@
R$* <@ $* . >		$1 <@ $2 >
R$* <@ $=w >		$1
R<@ $- . UUCP > : $+	$1 ! $2
R<@ $+ > : $+		$1 ! $2
R$* <@ $- . UUCP >	$2 ! $1
R$* <@ $+ >		$2 ! $1
R$&h ! $+		$@ $1
R$+			$: $U ! $1
R! $+			$: $k ! $1

ifdef(`_MAILER_smtp_', `# senders for neighbours that know domains
SEnvFromUD
R$+			$: $>EnvFromSMTP $1
R$* <@ *LOCAL* > $*	$: $1 <@ $j . > $2

# the same, as a path
SEnvFromUUD
R$+			$: $>EnvFromSMTP $1
R$* <@ *LOCAL* > $*	$: $1 <@ $j . > $2
R<@ $- . > : $+		$1 ! $2
R$* <@ $- . UUCP. >	$2 ! $1
R$* <@ $+ . >		$2 ! $1
R$* <@ $+ >		$2 ! $1

')dnl
# one recipient at a time; the names uucp and suucp are older ones
_uucp_mailer_(`uucp', `DFMhuUd', `FromU', `EnvToU/HdrToU')
_uucp_mailer_(`uucp-old', `DFMhuUd', `FromU', `EnvToU/HdrToU')
# several recipients
_uucp_mailer_(`suucp', `mDFMhuUd', `FromU', `EnvToU/HdrToU')
_uucp_mailer_(`uucp-new', `mDFMhuUd', `FromU', `EnvToU/HdrToU')
ifdef(`_MAILER_smtp_', `# addresses of the Internet, with and without a path in the envelope
_uucp_mailer_(`uucp-dom', `mDFMhud', `EnvFromUD/HdrFromSMTP', ifdef(`_F_allmasquerade_', `EnvToSMTP/HdrFromSMTP', `EnvToSMTP'))
_uucp_mailer_(`uucp-uudom', `mDFMhud', `EnvFromUUD/HdrFromSMTP', ifdef(`_F_allmasquerade_', `EnvToSMTP/HdrFromSMTP', `EnvToSMTP'))
')dnl
divert(-1)
