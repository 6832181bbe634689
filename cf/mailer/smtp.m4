divert(-1)
# The SMTP mailers: other hosts, by SMTP

ifdef(`SMTP_MAILER_FLAGS', `', `define(`SMTP_MAILER_FLAGS')')
ifdef(`RELAY_MAILER_FLAGS', `', `define(`RELAY_MAILER_FLAGS', defn(`SMTP_MAILER_FLAGS'))')
ifdef(`SMTP_MAILER_ARGS', `', `define(`SMTP_MAILER_ARGS', `TCP $h')')
ifdef(`ESMTP_MAILER_ARGS', `', `define(`ESMTP_MAILER_ARGS', `TCP $h')')
ifdef(`SMTP8_MAILER_ARGS', `', `define(`SMTP8_MAILER_ARGS', `TCP $h')')
ifdef(`DSMTP_MAILER_ARGS', `', `define(`DSMTP_MAILER_ARGS', `TCP $h')')
ifdef(`RELAY_MAILER_ARGS', `', `define(`RELAY_MAILER_ARGS', `TCP $h')')
ifdef(`SMTP_MAILER_LL', `', `define(`SMTP_MAILER_LL', `990')')
ifdef(`RELAY_MAILER_LL', `', `define(`RELAY_MAILER_LL', `2040')')

# _smtp_mailer_(name, prefix of its defines, flags of its own): one mailer of the family
define(`_smtp_mailer_', `M$1,		P=[IPC], F=_flags_(`$2', CONCAT(_DEF_SMTP_MAILER_FLAGS, `$3', SMTP_MAILER_FLAGS)), S=EnvFromSMTP/HdrFromSMTP, R=ifdef(`_F_allmasquerade_', `EnvToSMTP/HdrFromSMTP', `EnvToSMTP'), E=\r\n, L=SMTP_MAILER_LL,ifdef(`SMTP_MAILER_MAX', ` M=SMTP_MAILER_MAX,')ifdef(`SMTP_MAILER_MAXMSGS', ` m=SMTP_MAILER_MAXMSGS,')ifdef(`SMTP_MAILER_MAXRCPTS', ` r=SMTP_MAILER_MAXRCPTS,')ifdef(`SMTP_MAILER_CHARSET', ` C=SMTP_MAILER_CHARSET,')ifdef(`$2_MAILER_QGRP', ` Q=$2_MAILER_QGRP,')
		T=DNS/RFC822/SMTP,
		A=$2_MAILER_ARGS')

divert(_D_MAILER_)
#####
##### SMTP mailers
#####

# an address without a host is one of ours
SMasqSMTP
R$* <@ $* > $*		$@ $1 <@ $2 > $3
R$+			$@ $1 <@ *LOCAL* >

# domains that only our relays know become paths through them
SPseudoToReal
R<@ $+ > $*		$@ <@ $1 > $2
ifdef(`BITNET_RELAY', `R$+ <@ $+ .BITNET. >	$: $1 % $2 .BITNET <@ _host_part_(BITNET_RELAY) >
')dnl
ifdef(`_F_nouucp_', `', `R$+ <@ $&h .UUCP. >	$@ $1 <@ $&h .UUCP. >	its own mailer takes it
R$+ <@ $+ .UUCP. >	$: $2 ! $1 <@ ifdef(`UUCP_RELAY', `_host_part_(UUCP_RELAY)', `*LOCAL*') >
')dnl

# senders of envelopes
SEnvFromSMTP
R$+			$: $>PseudoToReal $1
R$* : ; <@>		$@
R$*			$: $>MasqSMTP $1
R$+			$: $>MasqEnv $1

# recipients of envelopes, and of headers unless allmasquerade is on
SEnvToSMTP
R$+			$: $>PseudoToReal $1
R$+			$: $>MasqSMTP $1
R$* <@ *LOCAL* > $*	$: $1 <@ $j . > $2

# senders of headers
SHdrFromSMTP
R$+			$: $>PseudoToReal $1
R: ; <@>		$@
R$* <@> $*		$@ $1 <@> $2
R<@ $* > $*		$@ <@ $1 > $2
R$*			$: $>MasqSMTP $1
R$+			$: $>MasqHdr $1

# recipients of headers for the relay mailer
SMasqRelay
R$+			$: $>MasqSMTP $1
R$+			$: $>MasqHdr $1

_smtp_mailer_(`smtp', `SMTP', `')
_smtp_mailer_(`esmtp', `ESMTP', `a')
_smtp_mailer_(`smtp8', `SMTP8', `8')
_smtp_mailer_(`dsmtp', `DSMTP', `a%')
Mrelay,		P=[IPC], F=_flags_(`RELAY', CONCAT(_DEF_SMTP_MAILER_FLAGS, `a8', RELAY_MAILER_FLAGS)), S=EnvFromSMTP/HdrFromSMTP, R=ifdef(`_F_allmasquerade_', `MasqSMTP/MasqRelay', `MasqSMTP'), E=\r\n, L=RELAY_MAILER_LL,dnl
ifdef(`RELAY_MAILER_CHARSET', ` C=RELAY_MAILER_CHARSET,')dnl
ifdef(`RELAY_MAILER_MAXMSGS', ` m=RELAY_MAILER_MAXMSGS,')dnl
ifdef(`SMTP_MAILER_MAXRCPTS', ` r=SMTP_MAILER_MAXRCPTS,')dnl
ifdef(`RELAY_MAILER_QGRP', ` Q=RELAY_MAILER_QGRP,')
		T=DNS/RFC822/SMTP,
		A=RELAY_MAILER_ARGS
divert(-1)
