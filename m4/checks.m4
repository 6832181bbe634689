divert(-1)

# words for values of the access map: _verdict_(what stands between the brackets behind the value, error text for REJECT)
define(`_REJECT_TEXT_', `ifdef(`confREJECT_MSG', `$: confREJECT_MSG', `$`'@ 5.7.1 $: "550 Access denied"')')
define(`_TMPF_TEXT_', `$`'@ 4.3.0 $: "451 Temporary system failure. Please try again later."')
define(`_RCPTREJ_TEXT_', `ifdef(`confRCPTREJ_MSG', `confRCPTREJ_MSG', `"550 Mailbox disabled for this recipient"')')
define(`_RELAY_TEXT_', `ifdef(`confRELAY_MSG', `confRELAY_MSG', `ifdef(`_CLASS_TrustAuthMech_', `"550 Relaying denied. Proper authentication required."', `"550 Relaying denied"')')')
ifdef(`_F_delay_checks_', `define(`_SET_MAIL_', `checkmail')define(`_SET_RELAY_', `checkrelay')define(`_SET_RCPT_', `checkrcpt')',
	`define(`_SET_MAIL_', `check_mail')define(`_SET_RELAY_', `check_relay')define(`_SET_RCPT_', `check_rcpt')')
ifdef(`_SPAM_FRIEND_', `define(`_SPAM_LOOKUP_')')
ifdef(`_SPAM_HATER_', `define(`_SPAM_LOOKUP_')')
ifdef(`_RATE_NODELAY_', `define(`_CHECK_NOW_')')
ifdef(`_CONN_NODELAY_', `define(`_CHECK_NOW_')')
ifdef(`_DELAY_STRICT_', `define(`_DELAY_COMPAT_', 0)', `define(`_DELAY_COMPAT_', 1)')
divert(0)dnl

#####
##### May this client connect?   name $| address
#####

SLocal_check_relay
S`'_SET_RELAY_
ifdef(`_F_use_client_ptr_', `# _FROM_(`FEATURE', `use_client_ptr'): the name that its address has, confirmed or not
R$* $| $*		$: $&{client_ptr} $| $2
')dnl
R$*			$: $1 $| $>"Local_check_relay" $1
R$* $| $* $| $#$*	$# $3
R$* $| $* $| $*		$@ $>"Basic_check_relay" $1 $| $2

SBasic_check_relay
# not now: the queue is asked later
R$*			$: < $&{deliveryMode} > $1
R< d > $*		$@ deferred
R< $* > $*		$: $2
ifdef(`_F_access_db_', `
# Connect: in the access map
R$+ $| $+		$: $>D < $1 > <?> < + Connect > < $2 >
R$| $+			$: $>A < $1 > <?> < + Connect > <>
R<?> < $+ >		$: $>A < $1 > <?> < + Connect > <>
R<?> < $* >		$: OK
R< $={Accept} > < $* >	$@ $1
R<REJECT> < $* >	$# error _REJECT_TEXT_
R<DISCARD> < $* >	$# discard $: discard
R<QUARANTINE : $+ > < $* >	$# error $@ quarantine $: $1
R<ERROR : $- . $- . $- : $+ > < $* >	$# error $@ $1 . $2 . $3 $: $4
R<ERROR : $+ > < $* >	$# error $: $1
R< <TMPF> > < $* >	$# error _TMPF_TEXT_
R< $* <TMPF> > < $* >	$# error _TMPF_TEXT_
R< $+ > < $* >		$# error $: $1
')dnl
ifdef(`_F_ratecontrol_', `ifdef(`_RATE_NODELAY_', `', `
# _FROM_(`FEATURE', `ratecontrol')
R$+			$: $>"RateControl" dummy
')')dnl
ifdef(`_F_conncontrol_', `ifdef(`_CONN_NODELAY_', `', `
# _FROM_(`FEATURE', `conncontrol')
R$+			$: $>"ConnControl" dummy
')')dnl
undivert(_D_DNSBL_)dnl
ifdef(`_F_require_rdns_', `
# _FROM_(`FEATURE', `require_rdns'): name and address must fit; class R is exempt
R$*			$: $&{client_addr} $| $&{client_resolve}
R$=R $* $| $*		$@ RELAY
R$* $| TEMP		$# error $@ 4.1.8 $: 451 Client IP address $&{client_addr} does not resolve
R$* $| FORGED		$# error $@ 4.1.8 $: 451 Possibly forged hostname for $&{client_addr}
R$* $| FAIL		$# error $@ 5.7.1 $: 550 Fix reverse DNS for $&{client_addr}
R$*			$: OK
')dnl

#####
##### May this sender send?
#####

SLocal_check_mail
S`'_SET_MAIL_
R$*			$: $1 $| $>"Local_check_mail" $1
R$* $| $#$*		$# $2
R$* $| $*		$@ $>"Basic_check_mail" $1

SBasic_check_mail
R$*			$: < $&{deliveryMode} > $1
R< d > $*		$@ deferred
R< $* > $*		$: $2

# TLS good enough?
R$*			$: $1 $| $>"tls_client" $&{verify} $| MAIL
R$* $| $#$+		$# $2
R$* $| $*		$: $1

R<>			$@ <OK>
ifdef(`_F_accept_unqualified_senders_', `', `R$+			$: <?> $1
R<?> < $+ >		$: <@> < $1 >
R<?> $+			$: <@> < $1 >
# names of the loopback are for clients of this host
R$*			$: $&{daemon_flags} $| $1
R$* f $* $| <@> < $* @ $- >	$: < ? $&{client_name} > < $3 @ $4 >
R$* u $* $| <@> < $* >	$: <?> < $3 >
R$* $| $*		$: $2
R<@> < $* @ localhost >	$: < ? $&{client_name} > < $1 @ localhost >
R<@> < $* @ [127.0.0.1] >	$: < ? $&{client_name} > < $1 @ [127.0.0.1] >
R<@> < $* @ [IPv6:0:0:0:0:0:0:0:1] >	$: < ? $&{client_name} > < $1 @ [IPv6:0:0:0:0:0:0:0:1] >
R<@> < $* @ [IPv6:::1] >	$: < ? $&{client_name} > < $1 @ [IPv6:::1] >
R<@> < $* @ localhost . $m >	$: < ? $&{client_name} > < $1 @ localhost . $m >
ifdef(`_F_nouucp_', `', `R<@> < $* @ localhost . UUCP >	$: < ? $&{client_name} > < $1 @ localhost . UUCP >
')dnl
R<@> $*			$: <> $1
R< ? $=w > $*		$: <> $2
R< ? $+ > < $+ >	$# error $@ 5.5.4 $: "553 Real domain name required for sender address"
R< $* > $*		$: $2
')dnl

# does the domain exist? <OKR> yes, <PERM> no, <TEMP> not known
R$*			$: <?> $>CanonAddr $1
R<?> $* <@ $+ . >	<?> $1 <@ $2 >
R<?> $* <@ $* $=P >	$: <OKR> $1 <@ $2 $3 >
R<?> $* <@ $j >	$: <OKR> $1 <@ $j >
ifdef(`_F_accept_unresolvable_domains_', `R<?> $* <@ $+ >	$: <OKR> $1 <@ $2 >
', `R<?> $* <@ $+ >	$: < ? $(resolve $2 $: $2 <PERM> $) > $1 <@ $2 >
R< ? $* < $- > > $* <@ $+ >	$: < $2 > $3 <@ $4 >
')dnl
ifdef(`_F_access_db_', `
# From: in the access map
R< $+ > $+ <@ $* >	$: @ < $1 > < $2 <@ $3 > > $| < F : $2 @ $3 > < U : $2 @ > < D : $3 >
R< $+ > $+		$: @ < $1 > < $2 > $| < U : $2 @ >
R@ < $+ > < $* > $| < $+ >	$: <@> < $1 > < $2 > $| $>SearchList < + From > $| < $3 > <>
R<@> < $+ > < $* > $| < $* >	$: < $3 > < $1 > < $2 >
R<?> < $+ > < $* >	$: < $1 > $2
R< $={Accept} > < $* > < $* >	$# $1
R<REJECT> < $* > < $* >	$# error _REJECT_TEXT_
R<DISCARD> < $* > < $* >	$# discard $: discard
R<QUARANTINE : $+ > < $* > < $* >	$# error $@ quarantine $: $1
R<ERROR : $- . $- . $- : $+ > < $* > < $* >	$# error $@ $1 . $2 . $3 $: $4
R<ERROR : $+ > < $* > < $* >	$# error $: $1
R< <TMPF> > < $* > < $* >	$# error _TMPF_TEXT_
R< $+ > < $* > < $* >	$# error $: $1
')dnl
R< $={ResOk} > $*	$: @ $2
ifdef(`_F_accept_unqualified_senders_', `R<?> $*			$: @ $1
', `
# a domain is required, except from users of this host and at ports with flag u
R<?> $*			$: $&{daemon_flags} $| <?> $1
R$* u $* $| <?> $*	$: @ $3
R$* $| $*		$: $2
R<?> $*			$: < ? $&{client_addr} > $1
R<?> $*			$@ <OKR>
R< ? $+ > $*		$# error $@ 5.5.4 $: "553 Domain name required for sender address " $&f
')dnl
ifdef(`_F_accept_unresolvable_domains_', `', `R<TEMP> $*		$# error $@ 4.1.8 $: "451 Domain of sender address " $&f " does not resolve"
R<PERM> $*		$# error $@ 5.1.8 $: "553 Domain of sender address " $&f " does not exist"
')dnl
ifdef(`_F_badmx_', `
# _FROM_(`FEATURE', `badmx')
R@ $* <@ $+ >		$: $1 <@ $2 > $| $>BadMX $2
R$* $| $# $*		$# $2
')dnl

ifdef(`_F_badmx_', `#####
##### BadMX: <MX> < domain > < : exchangers : > < : their addresses : >
#####

SBadMX
R$*			$: <MX> < $1 > < : $(mxlist $1 $) : > < : >
R<MX> < $+ > < $* <TEMP> $* > < $* >	$# error $@ 4.1.2 $: "450 MX lookup failure for " $1
# an exchanger must have a name
R<MX> < $+ > < : $+ : $* > < : $* >	<MX> < $1 > < : $3 > < : $4 $(badmx $2 $) : >
R<MX> < $+ > < : > < $* <BADMX> $* >	$# error $@ 5.1.2 $: "550 Illegal MX record for host " $1
R<MX> < $+ > < : > < $* >	$: <MX> < $1 > < $2 > < : >
# and a good address
R<MX> < $+ > < : $+ : $* > < : $* >	<MX> < $1 > < : $3 > < : $4 $(dnsA $2 $) : >
R<MX> < $+ > < : > < $* <TEMP> $* >	$# error $@ 4.1.2 $: "450 MX lookup failure for " $1
R<MX> < $+ > < : > < $* >	$: <MX> < $1 > < $2 > < : >
R<MX> < $+ > < : $+ : $* > < : $* >	<MX> < $1 > < : $3 > < : $4 $(BadMXIP $2 $) : >
R<MX> < $+ > < : > < $* <BADMXIP> $* >	$# error $@ 5.1.2 $: "550 Invalid MX record for host " $1
')dnl

#####
##### May this recipient get mail, and may this client send it to there?
#####

SLocal_check_rcpt
S`'_SET_RCPT_
R$*			$: $1 $| $>"Local_check_rcpt" $1
R$* $| $#$*		$# $2
R$* $| $*		$@ $>"Basic_check_rcpt" $1

SBasic_check_rcpt
R<>			$# error $@ nouser $: "553 User address required"
R$@			$# error $@ nouser $: "553 User address required"
R$*			$: < $&{deliveryMode} > $1
R< d > $*		$@ deferred
R< $* > $*		$: $2
ifdef(`_REQUIRE_QUAL_RCPT_', `R$*			$: $&{daemon_flags} $| $1
R$* r $* $| $* @ $*	$: $3 @ $4
R$* r $* $| < postmaster >	$: < postmaster >
R$* r $* $| postmaster	$: postmaster
R$* r $* $| $*		$: < ? $&{client_name} > $3
R<?> $*			$: $1
R< ? $=w > $*		$: $2
R< ? $* > $*		$# error $@ 5.5.4 $: "553 Fully qualified domain name required"
R$* $| $*		$: $2
')dnl
ifdef(`_F_promiscuous_relay_', `# _FROM_(`FEATURE', `promiscuous_relay'): only the recipient itself may be refused
R$*			$: $1 $| @ $>"Rcpt_ok" $1
R$* $| @ $# TEMP $+	$# error $2
R$* $| @ $# $*		$# $2
', `# a "not now" of the one waits for what the other says
R$*			$: $1 $| $>"Rcpt_ok" $1
R$* $| $#TEMP $+	$: $1 $| T $2
R$* $| $#$*		$# $2
R$* $| RELAY		$@ RELAY
R$* $| T $+		$: < $2 > $1
R$* $| $*		$: <> $1
R< $* > $*		$: < $1 > $| $>"Relay_ok" $2
R< $* > $| $#TEMP $+	$# error $2
R< $* > $| $#$*		$# $2
R< $* > $| RELAY	$@ RELAY
R< $+ > $| $*		$# error $1
R$*			$# error $@ 5.7.1 $: _RELAY_TEXT_
')dnl

SRcpt_ok
ifdef(`_F_loose_relay_check_', `# _FROM_(`FEATURE', `loose_relay_check'): only the last host counts
R$*			$: $>CanonAddr $1
R$* <@ $* . >		$1 <@ $2 >
', `R$*			$: $>ParseRecipient $1
ifdef(`_F_relay_based_on_MX_', `R$# $*			$# $1
')dnl
')dnl
ifdef(`_F_bestmx_is_local_', `ifdef(`_BESTMX_LIMIT_', `
# _FROM_(`FEATURE', `bestmx_is_local')
R$* <@ $* $=B >		$: $1 <@ $2 $3 @@ $(bestmx $2 $3 $) >
', `
# _FROM_(`FEATURE', `bestmx_is_local')
R$* <@ $+ >		$: $1 <@ $2 @@ $(bestmx $2 $) >
')dnl
R$* $=O $* <@ $* @@ $=w . >	$@ $>"Rcpt_ok" $1 $2 $3
R$+ <@ $* @@ $=w . >	$: $1 <@ $3 >
R$+ <@ $* @@ $* >	$: $1 <@ $2 >
')dnl
ifdef(`_F_blocklist_recipients_', `
# _FROM_(`FEATURE', `blocklist_recipients'): To: in the access map
R$*			$: <?> $1
R<?> $+ <@ $=w >	$: <> $1 <@ $2 > $| < F : $1 @ $2 > < U : $1 @ > < D : $2 >
R<?> $+ <@ $* >		$: <> $1 <@ $2 > $| < F : $1 @ $2 > < D : $2 >
R<?> $+			$: <> $1 $| < U : $1 @ >
R<> $* $| < $+ >	$: <@> $1 $| $>SearchList < + To > $| < $2 > <>
R<@> $* $| $*		$: $2 $1
ifdef(`_SPAM_TAGS_', `R< $={SpamTag} > $*	$: @ $2
')dnl
R<REJECT> $*		$# error $@ 5.2.1 $: _RCPTREJ_TEXT_
R<DISCARD> $*		$# discard $: discard
R<QUARANTINE : $+ > $*	$# error $@ quarantine $: $1
R<ERROR : $- . $- . $- : $+ > $*	$# error $@ $1 . $2 . $3 $: $4
R<ERROR : $+ > $*	$# error $: $1
R< <TMPF> > $*		$# error _TMPF_TEXT_
R<?> $*			$: @ $1
R< $={Accept} > $*	$: @ $2
R< $+ > $*		$# error $: $1
R@ $*			$: $1
')dnl
undivert(_D_RCPT_)dnl

ifdef(`_F_promiscuous_relay_', `', `# a certificate that is good enough
R$*			$: $1 $| $>RelayTLS
R$* $| $# $+		$# $2
R$* $| RELAY		$# RELAY
R$* $| $*		$: $1

# AUTH, unless the site says no
R$*			$: $1 $| $>"Local_Relay_Auth" $&{auth_type}
R$* $| $# $*		$# $2
R$* $| NO		$: $1
R$* $| $*		$: $1 $| $&{auth_type}
R$* $|			$: $1
ifdef(`_CLASS_TrustAuthMech_', `R$* $| $={TrustAuthMech}	$# RELAY
')dnl
R$* $| $*		$: $1

ifdef(`_PERCENT_REJECT_', `# a user with a percent sign is not one of ours
R$* % $* <@ $=w >	$: <REMOTE> $1 % $2 < $3 >
')dnl
ifdef(`_UUCP_REJECT_', `# a user with a bang is not one of ours
R$* ! $* <@ $=w >	$: <REMOTE> $1 ! $2 < $3 >
')dnl
# for this host, and for domains that we take mail for
R$+ <@ $=w >		$@ RELAY
ifdef(`_F_relay_hosts_only_', `R$+ <@ $=R >		$@ RELAY
', `R$+ <@ $* $=R >		$@ RELAY
')dnl
ifdef(`_F_relay_entire_domain_', `R$+ <@ $* $=m >		$@ RELAY
')dnl
ifdef(`_F_relay_based_on_MX_', `
# _FROM_(`FEATURE', `relay_based_on_MX')
R$* <@ $+ >		$: < : $(mxserved $2 $) : > < $1 <@ $2 > >
R< : $* <TEMP> : > $*	$# TEMP $@ 4.4.0 $: "450 Can not check MX records for recipient host " $1
R< $* : $=w . : $* > $*	$@ RELAY
R< : $* : > < $* >	$: $2
')dnl
ifdef(`_F_access_db_', `
# RELAY in the access map
ifdef(`_F_relay_hosts_only_', `R$+ <@ $+ >		$: < $(access To : $2 $: ? $) > < $1 <@ $2 > >
R<?> < $+ <@ $+ > >	$: < $(access $2 $: ? $) > < $1 <@ $2 > >
ifdef(`_ACCESS_FULL_', `R<?> < $+ <@ $+ > >	$: < $(access To : $1 @ $2 $: ? $) > < $1 <@ $2 > >
')dnl
', `ifdef(`_ACCESS_FULL_', `R$+ <@ $+ >		$: < $1 <@ $2 > > $| $>SearchList < + To > $| < F : $1 @ $2 > < D : $2 > < F : $1 @ > <>
R< $+ > $| < $* >	$: < $2 > < $1 >
', `R$+ <@ $+ >		$: $>D < $2 > <?> < + To > < $1 <@ $2 > >
')')dnl
R<RELAY> $*		$@ RELAY
R< $* <TMPF> > $*	$# TEMP _TMPF_TEXT_
R< $* > < $* >		$: $2
')dnl

# a user without a host is one of ours
R$*			$: <?> $1
R<?> <REMOTE> $*	$: <REMOTE> $1
ifdef(`_PERCENT_REJECT_', `R<?> $* % $*		$: <REMOTE> $1 % $2
')dnl
ifdef(`_UUCP_REJECT_', `R<?> $* ! $*		$: <REMOTE> $1 ! $2
')dnl
R<?> $* <@ $+ >		$: <REMOTE> $1 <@ $2 >
R<?> $+			$@ RELAY
R< $+ > $*		$: $2

SRelay_ok
# this host itself
R$*			$: $&{client_addr}
R$@			$@ RELAY
R0			$@ RELAY
R127.0.0.1		$@ RELAY
RIPv6:0:0:0:0:0:0:0:1	$@ RELAY
RIPv6:::1		$@ RELAY
R$=R $*			$@ RELAY
ifdef(`_F_access_db_', `
# Connect: in the access map
R$*			$: $>A < $1 > <?> < + Connect > < $1 >
R<RELAY> $*		$@ RELAY
R< $* <TMPF> > $*	$# TEMP _TMPF_TEXT_
R< $* > < $* >		$: $2
')dnl
undivert(_D_RELAY_)dnl

R$*			$: [ $1 ]
R$=w			$@ RELAY
ifdef(`_F_relay_mail_from_', `
# _FROM_(`FEATURE', `relay_mail_from'): From: in the access map, for the whole address`'ifdef(`_RELAY_FROM_DOMAIN_', ` and the domain')
R$*			$: <?> $>CanonAddr $&f
R<?> $* <@ $+ . >	<?> $1 <@ $2 >
R<?> $+ <@ $+ >		$: <@> $>SearchList < ! From > $| < F : $1 @ $2 >ifdef(`_RELAY_FROM_DOMAIN_', ` < D : $2 >') <>
R<@> <RELAY>		$@ RELAY
R<@> < $* <TMPF> >	$# TEMP _TMPF_TEXT_
')dnl
ifdef(`_F_relay_local_from_', `
# _FROM_(`FEATURE', `relay_local_from'): whoever says to be one of us
R$*			$: <?> $>CanonAddr $&f
R<?> $+ <@ $=w . >	$@ RELAY
')dnl

# its name, when name and address fit
R$*			$: < $&{client_resolve} >
R<TEMP>			$# TEMP $@ 4.4.0 $: "450 Relaying temporarily denied. Cannot resolve PTR record for " $&{client_addr}
R<FORGED>		$# error $@ 5.7.1 $: "550 Relaying denied. IP name possibly forged " $&{client_name}
R<FAIL>			$# error $@ 5.7.1 $: "550 Relaying denied. IP name lookup failed " $&{client_name}
R$*			$: <?> $&{client_name}
R<?> $* .		$: <?> $1
R<?> $=w		$@ RELAY
ifdef(`_F_relay_entire_domain_', `R<?> $* $=m		$@ RELAY
')dnl
ifdef(`_F_relay_hosts_only_', `R<?> $=R		$@ RELAY
ifdef(`_F_access_db_', `R<?> $*		$: < $(access Connect : $1 $: ? $) > < $1 >
R<?> < $* >		$: < $(access $1 $: ? $) > < $1 >
')dnl
', `R<?> $* $=R		$@ RELAY
ifdef(`_F_access_db_', `R<?> $*		$: $>D < $1 > <?> < + Connect > < $1 >
')dnl
')dnl
ifdef(`_F_access_db_', `R<RELAY> $*		$@ RELAY
R< $* <TMPF> > $*	$# TEMP _TMPF_TEXT_
R< $* > < $* >		$: $2
', `R<?> $*			$: $1
')dnl
')dnl
ifdef(`_F_delay_checks_', `
#####
##### _FROM_(`FEATURE', `delay_checks'): first the recipient, then the sender, then the client
#####
ifdef(`_CHECK_NOW_', `
# limits hold before that
Scheck_relay
ifdef(`_RATE_NODELAY_', `R$+			$: $>"RateControl" dummy
')dnl
ifdef(`_CONN_NODELAY_', `R$+			$: $>"ConnControl" dummy
')dnl
')dnl

# what TLS asks of a client holds for everybody
SDelay_TLS_Clt
R$*			$: $1 $| $>"tls_client" $&{verify} $| MAIL
R$* $| $#$+		$# $2
R$* $| $*		$# $1
SDelay_TLS_Clt2
R$*			$: $1 $| $>"tls_client" $&{verify} $| MAIL
R$* $| $#$+		$# $2
R$* $| $*		$@ $1

# an address with a host, without the dot at its end
SFullAddr
R$* <@ $+ . >		$1 <@ $2 >
R$* <@ $* >		$@ $1 <@ $2 >
R$+			$@ $1 <@ $j >

Scheck_rcpt
R$+			$: $1 $| $>checkrcpt $1
R$+ $| $# error $*	$# error $2
R$+ $| $# discard $*	$# discard $2
R$+ $| $# $*		$@ $>"Delay_TLS_Clt" $2
R$+ $| $*		$: $>FullAddr $>CanonAddr $1
R$*			$: <?> $1
ifdef(`_SPAM_LOOKUP_', `
# Spam: in the access map, for the recipient
R<?> $+ <@ $=w >	$: <> $1 <@ $2 > $| < F : $1 @ $2 > < D : $2 > < U : $1 @ >
R<?> $+ <@ $+ >		$: <> $1 <@ $2 > $| < F : $1 @ $2 > < D : $2 >
R<?> $+			$: <> $1 $| < U : $1 @ >
R<> $* $| < $+ >	$: <@> $1 $| $>SearchList < ! Spam > $| < $2 > <>
R<@> $* $| $*		$: $2 $1
ifdef(`_SPAM_FRIEND_', `R< FRIEND > $+		$@ $>"Delay_TLS_Clt2" SPAMFRIEND
R< $* > $+		$: $2
', `R< HATER > $+		$: $1
R< $* > $+		$@ $>"Delay_TLS_Clt2" NOSPAMHATER
')dnl
')dnl

R$*			$: $1 $| $>checkmail ifelse(_DELAY_COMPAT_, 1, `< $&f >', `$&{mail_from}')
R$* $| $#$*		$# $2
R$* $| $*		$: $1 $| $>checkrelay $&{client_name} $| $&{client_addr}
R$* $| $#$*		$# $2
R$* $| $*		$: $1
')dnl
ifdef(`_F_block_bad_helo_', `
# _FROM_(`FEATURE', `block_bad_helo'): our names and names without a dot; class R and users of AUTH are exempt.
# Behind what was said of the recipient, or without delay_checks of the client that wants to relay.
R$+			$: $1 $| < $&{auth_authen} > $&{client_addr}
R$+ $| < $+ > $*	$: $1
R$+ $| < > $=R $*	$: $1
R$+ $| < > $*		$: $1 $| <?> $&s
R$+ $| <?> $=w		$# error $@ 5.7.1 $: "550 bogus HELO name used: " $&s
R$+ $| <?> [ $+ ]	$: $1
R$+ $| <?> $+ . $+	$: $1
R$+ $| <?> $*		$# error $@ 5.7.1 $: "550 bogus HELO name used: " $&s
')dnl
