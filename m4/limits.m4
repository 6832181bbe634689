ifdef(`_F_ratecontrol_', `
#####
##### _FROM_(`FEATURE', `ratecontrol'): ClientRate: in the access map, 0 is no limit
#####

SRateControl
R$*			$: < A : $&{client_addr} > < E : >
R$+			$: $>SearchList < ! ClientRate > $| $1 <>
R<?>			$@ OK
R< $* <TMPF> >		$# error _TMPF_TEXT_
R< 0 >			$@ OK
R< $+ >			$: < $1 > $| $(arith l $@ $1 $@ $&{client_rate} $)
R< $+ > $| TRUE		$# error $@ 4.3.2 $: ifdef(`_RATE_REPLY_', `421', `452') Connection rate limit exceeded.
')dnl
ifdef(`_F_conncontrol_', `
#####
##### _FROM_(`FEATURE', `conncontrol'): ClientConn: in the access map, 0 is no limit
#####

SConnControl
R$*			$: < A : $&{client_addr} > < E : >
R$+			$: $>SearchList < ! ClientConn > $| $1 <>
R<?>			$@ OK
R< $* <TMPF> >		$# error _TMPF_TEXT_
R< 0 >			$@ OK
R< $+ >			$: < $1 > $| $(arith l $@ $1 $@ $&{client_connections} $)
R< $+ > $| TRUE		$# error $@ 4.3.2 $: ifdef(`_CONN_REPLY_', `421', `452') Too many open connections.
')dnl
ifdef(`_F_greet_pause_', `
#####
##### _FROM_(`FEATURE', `greet_pause'): milliseconds before the greeting; client name $| address
#####

SLocal_greet_pause
Sgreet_pause
R$*			$: < $1 > <?> $>"Local_greet_pause" $1
R< $* > <?> $# $*	$# $2
R< $* > <?> $*		$: $1
ifdef(`_F_access_db_', `R$+ $| $+		$: $>D < $1 > <?> < ! GreetPause > < $2 >
R$| $+			$: $>A < $1 > <?> < ! GreetPause > <>
R<?> < $+ >		$: $>A < $1 > <?> < ! GreetPause > <>
R<?> < $* >		ifelse(_GREET_PAUSE_, `', `$@', `$# _GREET_PAUSE_')
R< $* <TMPF> > < $* >	$@
R< $+ > < $* >		$# $1
', `R$*			$# _GREET_PAUSE_
')dnl
')dnl
ifdef(`_F_queuegroup_', `
#####
##### _FROM_(`FEATURE', `queuegroup'): qgrp: in the access map chooses the queue group of a recipient
#####

Squeuegroup
R< $+ >			$1
R$+ @ $+		$: $>SearchList < ! qgrp > $| < F : $1 @ $2 > < D : $2 > <>
R<?>			ifelse(_QUEUEGROUP_, `', `$@', `$# _QUEUEGROUP_')
R< $* <TMPF> >		$# error _TMPF_TEXT_
R< $+ >			$# $1
')dnl
ifdef(`_F_compat_check_', `
#####
##### _FROM_(`FEATURE', `compat_check'): Compat:sender<@>recipient in the access map
#####

Scheck_compat
R< $+ > $| $+		$: $1 $| $2
R$+ $| < $+ >		$: $1 $| $2
R$+ $| $+		$: < $(access Compat : $1 < @ > $2 $: OK $) >
R< $* <TMPF> >		$# error _TMPF_TEXT_
R< DISCARD : $+ >	$# discard $: $1 " - discarded by check_compat"
R< DISCARD $* >		$# discard $: $1 " - discarded by check_compat"
R< TEMP : $* >		$# error $@ TEMPFAIL $: $1 " error from check_compat. Try again later"
R< ERROR : $* >		$# error $@ UNAVAILABLE $: $1 " error from check_compat"
')dnl
ifdef(`_F_tls_session_features_', `
#####
##### _FROM_(`FEATURE', `tls_session_features'): options of TLS sessions; name $| address
#####

Stls_srv_features
R$* $| $*		$: $>D < $1 > <?> < ! "TLS_Srv_Features" > < $2 >
R<?> < $* >		$: $>A < $1 > <?> < ! "TLS_Srv_Features" > < $1 >
R<?> < $* >		$@ ""
R< $+ > < $* >		$@ $1
ifdef(`_F_sts_', `Stls_clt_features
R$* $| $*		$: <.> $>"tls_clt_feat_acc" $1 $| $2
R<.> $*			$: < $1 > $| $>"Set_SNI" $1
R< $* > $| $#$*		$# $2
R< "" > $| $*		$@ $1
R< $* > $| ""		$@ $1
R< $* > $| $*		$@ $1 ; $2
R$*			$@ ""
Stls_clt_feat_acc
', `Stls_clt_features
')dnl
R$* $| $*		$: $>D < $1 > <?> < ! "TLS_Clt_Features" > < $2 >
R<?> < $* >		$: $>A < $1 > <?> < ! "TLS_Clt_Features" > < $1 >
R<?> < $* >		$@ ""
R< $+ > < $* >		$@ $1
', `ifdef(`_F_sts_', `
Stls_clt_features
R$*			$: $>"Set_SNI" $1
R$#$*			$# $1
')')dnl
ifdef(`_F_bcc_', `
#####
##### _FROM_(`FEATURE', `bcc')
#####

# what the table says of a domain
SBCC
ifdef(`_BCC_ACCESS_', `R$+			$: $>D < $1 > <?> < ! bcc > <>
R< $+ > < $* >		$: < $1 >
', `R$+			$: < $(bcctable $1 $: ? $) > $1
R<?> $- . $+		< $(bcctable . $2 $: ? $) > $2
R< $+ > $*		$: < $1 >
')dnl

# the copy that a recipient asks for
Sbcc
R< $+ >			$: $1
R$+ @ $+		$: $1 @ $2 $| $>BCC $2
R$* $| <?>		$@
ifelse(_BCC_RESULT_, `', `ifdef(`_BCC_CANONICAL_', `R$* $| < $* >		$: $(canonicalRcpt $1 $: $)
R$* <TMPF>		$# error _TMPF_TEXT_
', `R$* $| < $* >		$@ $1
')', `R$* $| < $* >		$@ _BCC_RESULT_
')dnl

# copies go to a host of their own
SParseBcc
R$+			$: < $&{addr_type} > $1
R< $* b > $+ <@ $+ >	$# _RELAY_ $@ $A $: $2 <@ $3 >
R< $* > $+		$: $2
')dnl
