divert(-1)
define(`_TLS_CODE_', `ifdef(`TLS_PERM_ERR', `554', `454')')
define(`_TLS_DSN_', `ifdef(`TLS_PERM_ERR', `5.7.0', `4.7.0')')
# _ask_local_(ruleset, words in front): the ruleset of the site answers first
divert(0)dnl

#####
##### May this client say who is the author of a message (AUTH= of MAIL)?
#####

SLocal_trust_auth
Strust_auth
R$*			$: $&{auth_type} $| $1
R$| $*			$# error $@ 5.7.1 $: "550 not authenticated"
R$* $| $&{auth_authen}	$@ identical
R$* $| < $&{auth_authen} >	$@ identical
R$* $| $*		$: $1 $| $>"Local_trust_auth" $2
R$* $| $#$*		$# $2
R$*			$# error $@ 5.7.1 $: "550 " $&{auth_authen} " not allowed to act as " $&{auth_author}

# answers NO to keep users of AUTH from relaying
SLocal_Relay_Auth

#####
##### What is offered to this client, and what is used of what this server offers: letters
#####

Ssrv_features
ifdef(`_LOCAL_srv_features_', `R$*			$: $1 $| $>"Local_srv_features" $1
R$* $| $#$*		$# $2
R$* $| $*		$: $1
')dnl
ifdef(`_F_access_db_', `R$*			$: $>D < $&{client_name} > <?> < ! "Srv_Features" > <>
R<?> $*			$: $>A < $&{client_addr} > <?> < ! "Srv_Features" > <>
R<?> $*			$: < $(access "Srv_Features" : $: ? $) >
R<?> $*			$@ OK
R< $* <TMPF> > $*	$# temp
R< $+ > $*		$# $1
')dnl

Sclt_features
ifdef(`_LOCAL_clt_features_', `R$*			$: $1 $| $>"Local_clt_features" $1
R$* $| $#$*		$# $2
R$* $| $*		$: $1
')dnl
ifdef(`_F_access_db_', `R$*			$: $>D < $&{client_name} > <?> < ! "Clt_Features" > <>
R<?> $*			$: $>A < $&{client_addr} > <?> < ! "Clt_Features" > <>
R<?> $*			$: < $(access "Clt_Features" : $: ? $) >
R<?> $*			$@ OK
R< $* <TMPF> > $*	$# temp
R< $+ > $*		$# $1
')dnl

#####
##### TLS
#####

# STARTTLS with this server?
Stry_tls
ifdef(`_LOCAL_try_tls_', `R$*			$: $1 $| $>"Local_try_tls" $1
R$* $| $#$*		$# $2
R$* $| $*		$: $1
')dnl
ifdef(`_F_access_db_', `R$*			$: $>D < $&{server_name} > <?> < ! "Try_TLS" > <>
R<?> $*			$: $>A < $&{server_addr} > <?> < ! "Try_TLS" > <>
R<?> $*			$: < $(access "Try_TLS" : $: ? $) >
R<?> $*			$@ OK
R< $* <TMPF> > $*	$# error _TMPF_TEXT_
R<NO> $*		$# error $@ 5.7.1 $: "550 do not try TLS with " $&{server_name} " [" $&{server_addr} "]"
')dnl

# good enough for this recipient?
Stls_rcpt
ifdef(`_LOCAL_tls_rcpt_', `R$*			$: $1 $| $>"Local_tls_rcpt" $1
R$* $| $#$*		$# $2
R$* $| $*		$: $1
')dnl
ifdef(`_F_sts_', `R$*			$: $1 $| $>"STS_Check" $1
R$* $| $#$*		$# $2
R$* $| $*		$: $1
')dnl
ifdef(`_F_access_db_', `R$*			$: $(macro {TLS_Name} $@ $&{server_name} $) $1
R$+			$: <?> $>CanonAddr $1
R<?> $+ <@ $+ . >	<?> $1 <@ $2 >
R<?> $+ <@ $+ >		$: $1 <@ $2 > $| < F : $1 @ $2 > < U : $1 @ > < D : $2 > < E : >
R<?> $+			$: $1 $| < U : $1 @ > < E : >
R$* $| $+		$: $1 $| $>SearchList < ! "TLS_Rcpt" > $| $2 <>
R$* $| <?>		$@ OK
R$* $| < $* <TMPF> >	$# error _TMPF_TEXT_
R$* $| < $+ >		$@ $>"TLS_connection" $&{verify} $| < $2 >
')dnl

# good enough for this client? verify $| MAIL or STARTTLS
Stls_client
ifdef(`_LOCAL_tls_client_', `R$*			$: $1 <?> $>"Local_tls_client" $1
R$* <?> $# $*		$# $2
R$* <?> $*		$: $1
')dnl
ifdef(`_F_access_db_', `R$*			$: $(macro {TLS_Name} $@ $&{client_name} $) $1
R$* $| $*		$: $1 $| $>D < $&{client_name} > <?> < ! "TLS_Clt" > <>
R$* $| <?> $*		$: $1 $| $>A < $&{client_addr} > <?> < ! "TLS_Clt" > <>
R$* $| <?> $*		$: $1 $| < $(access "TLS_Clt" : $: ? $) >
R$* $| < $* <TMPF> > $*	$# error _TMPF_TEXT_
R$*			$@ $>"TLS_connection" $1
', `R$* $| $*		$@ $>"TLS_connection" $1
')dnl

# good enough for this server? verify
Stls_server
ifdef(`_LOCAL_tls_server_', `R$*			$: $1 $| $>"Local_tls_server" $1
R$* $| $#$*		$# $2
R$* $| $*		$: $1
')dnl
ifdef(`_F_sts_', `R$*			$: $1 $| $>"STS_secure" $1
R$* $| $#$*		$# $2
R$* $| $*		$: $1
')dnl
ifdef(`_F_access_db_', `R$*			$: $(macro {TLS_Name} $@ $&{server_name} $) $1
R$*			$: $1 $| $>D < $&{server_name} > <?> < ! "TLS_Srv" > <>
R$* $| <?> $*		$: $1 $| $>A < $&{server_addr} > <?> < ! "TLS_Srv" > <>
R$* $| <?> $*		$: $1 $| < $(access "TLS_Srv" : $: ? $) >
R$* $| < $* <TMPF> > $*	$# error _TMPF_TEXT_
R$*			$@ $>"TLS_connection" $1
', `R$*			$@ $>"TLS_connection" $1
')dnl

# verify $| < requirement >: [PERM+ | TEMP+] VERIFY or ENCR [:bits] [+ more [++ more]...]
STLS_connection
ifdef(`_NEEDS_TLS_', `R$* $| < $* > $*	$: $1 $| < $2 >
# < reply : enhanced code > < requirement >
R$* $| < PERM + $={Tls} $* >	$: $1 $| < 503 : 5.7.0 > < $2 $3 >
R$* $| < TEMP + $={Tls} $* >	$: $1 $| < 403 : 4.7.0 > < $2 $3 >
R$* $| < $={Tls} $* >	$: $1 $| < _TLS_CODE_ : _TLS_DSN_ > < $2 $3 >

# the handshake went wrong
RSOFTWARE $| < $- : $+ > $*	$# error $@ $2 $: $1 " TLS handshake failed."
RPROTOCOL $| < $- : $+ > $*	$# error $@ $2 $: $1 " STARTTLS failed."
RDANE_FAIL $| < $- : $+ > $*	$# error $@ $2 $: $1 " DANE check failed."
RCONFIG $| < $- : $+ > $*	$# error $@ $2 $: $1 " STARTTLS temporarily not possible."
RSOFTWARE $| $*		$# error $@ _TLS_DSN_ $: "_TLS_CODE_ TLS handshake failed."
RPROTOCOL $| $*		$# error $@ _TLS_DSN_ $: "_TLS_CODE_ STARTTLS failed."
RDANE_FAIL $| $*	$# error $@ _TLS_DSN_ $: "_TLS_CODE_ DANE check failed."
RCONFIG $| $*		$# error $@ _TLS_DSN_ $: "_TLS_CODE_ STARTTLS temporarily not possible."

# < VERIFY or ENCR > < bits > < more > < verify > < reply : enhanced code >; anything else asks for nothing
R$* $| < $+ > < $- : $- >	$: < $3 > < $4 > <> < $1 > < $2 >
R$* $| < $+ > < $- : $- + $* >	$: < $3 > < $4 > < $5 > < $1 > < $2 >
R$* $| < $+ > < $- + $* >	$: < $3 > <> < $4 > < $1 > < $2 >
R$* $| < $+ > < $- >	$: < $3 > <> <> < $1 > < $2 >
R$* $| $*		$@ OK
R< VERIFY > < $* > < $* > < $={TlsVerified} > < $+ >	$: < ENCR > < $1 > < $2 > < $3 > < $4 >
R< VERIFY > < $* > < $* > < > < $- : $+ >	$# error $@ $4 $: $3 " authentication required"
R< VERIFY > < $* > < $* > < NO > < $- : $+ >	$# error $@ $4 $: $3 " not authenticated"
R< VERIFY > < $* > < $* > < NOT > < $- : $+ >	$# error $@ $4 $: $3 " no authentication requested"
R< VERIFY > < $* > < $* > < FAIL > < $- : $+ >	$# error $@ $4 $: $3 " authentication failed"
R< VERIFY > < $* > < $* > < NONE > < $- : $+ >	$# error $@ $4 $: $3 " other side does not support STARTTLS"
R< VERIFY > < $* > < $* > < CLEAR > < $- : $+ >	$# error $@ $4 $: $3 " STARTTLS disabled locally"
R< VERIFY > < $* > < $* > < $* > < $- : $+ >	$# error $@ $5 $: $4 " authentication failure " $2

# enough bits?
R< ENCR > < $- > < $* > < $* > < $+ >	$: < $1 > < $2 > < $4 > $| $>max $&{cipher_bits} : $&{auth_ssf}
R< ENCR > <> < $* > < $* > < $+ >	$: < $1 > $| < $3 >
R< $- > < $* > < $+ > $| $*	$: < $(arith l $@ $4 $@ $1 $) > < $4 : $1 > < $2 > < $3 >
R< TRUE > < $- : $- > < $* > < $- : $+ >	$# error $@ $5 $: $4 " encryption too weak " $1 " less than " $2
R< $- > < $+ > < $* > < $- : $+ >	$: < $3 > $| < $4 : $5 >
R< > $| < $+ >		$@ OK
R< $+ > $| < $+ >	$@ $>"TLS_req" < $1 > $| < $2 >

# < requirement [++ requirement]... > $| < reply : enhanced code >: about the certificate
STLS_req
R< CN > $| < $+ >	$: < CN : $&{TLS_Name} > $| < $1 >
R< CN + + $* > $| < $+ >	$: < CN : $&{TLS_Name} + + $1 > $| < $2 >
ifdef(`_F_check_cert_altnames_', `# _FROM_(`FEATURE', `check_cert_altnames'): one of the names of the certificate, else its CN is the name of the other host
R< CN : $={cert_altnames} > $| $*	$@ OK
R< CN : $={cert_altnames} + + $* > $| $*	$@ $>"TLS_req" < $2 > $| $3
# a wildcard stands for one label
R< CN : $- . $+ + + $* > $| $*	$: <*> < $1 . $2 > < *. $2 > < + + $3 > $| $4
R< CN : $- . $+ > $| $*	$: <*> < $1 . $2 > < *. $2 > <> $| $3
R<*> < $+ > < $={cert_altnames} > <> $| $*	$@ OK
R<*> < $+ > < $={cert_altnames} > < + + $* > $| $*	$@ $>"TLS_req" < $3 > $| $4
R<*> < $+ > < $+ > < $* > $| $*	$: < CN : $1 $3 > $| $4
R< CN : $* + + $* > $| $*	$: < CN : $&{TLS_Name} + + $2 > $| $3
R< CN : $* + + $* > $| $*	$: < CN > < $1 > < + + $2 > $| $3
R< CN : $* > $| $*	$: < CN > < $&{TLS_Name} > < > $| $2
R< CN > < $* > < $* > $| $*	$: < CN : $1 $2 > $| $3
')dnl
R< CN : $&{cn_subject} > $| $*	$@ OK
R< CN : $&{cn_subject} + + $* > $| $*	$@ $>"TLS_req" < $1 > $| $2
R< CN : $* + + $* > $| < $- : $+ >	$# error $@ $4 $: $3 " CN " $&{cn_subject} " does not match " $1
R< CN : $* > $| < $- : $+ >	$# error $@ $3 $: $2 " CN " $&{cn_subject} " does not match " $1
R< CS : $&{cert_subject} > $| $*	$@ OK
R< CS : $&{cert_subject} + + $* > $| $*	$@ $>"TLS_req" < $1 > $| $2
R< CS : $* + + $* > $| < $- : $+ >	$# error $@ $4 $: $3 " Cert Subject " $&{cert_subject} " does not match " $1
R< CS : $* > $| < $- : $+ >	$# error $@ $3 $: $2 " Cert Subject " $&{cert_subject} " does not match " $1
R< CI : $&{cert_issuer} > $| $*	$@ OK
R< CI : $&{cert_issuer} + + $* > $| $*	$@ $>"TLS_req" < $1 > $| $2
R< CI : $* + + $* > $| < $- : $+ >	$# error $@ $4 $: $3 " Cert Issuer " $&{cert_issuer} " does not match " $1
R< CI : $* > $| < $- : $+ >	$# error $@ $3 $: $2 " Cert Issuer " $&{cert_issuer} " does not match " $1
ifdef(`_F_access_db_', `', `R< CITag : $* > $| < $- : $+ >	$# error $@ $3 $: $2 " Cert Issuer " $&{cert_issuer} " not acceptable"
')dnl
ifdef(`_F_access_db_', `# the tag names issuers: OK is good, none is an error
R< CITag : $- > $| $*	$: < $(access $1 : $&{cert_issuer} $: ? $) > $| $2
R< CITag : $- + + $* > $| $*	$: < $(access $1 : $&{cert_issuer} $: ? $) > < $2 > $| $3
R< OK > $| $*	$@ OK
R<?> $| < $- : $+ >	$# error $@ $2 $: $1 " Cert Issuer " $&{cert_issuer} " not acceptable"
R< OK > < $+ > $| $*	$@ $>"TLS_req" < $1 > $| $2
R<?> < $* > $| < $- : $+ >	$# error $@ $3 $: $2 " Cert Issuer " $&{cert_issuer} " not acceptable"
')dnl
', `RSOFTWARE		$# error $@ _TLS_DSN_ $: "_TLS_CODE_ TLS handshake failed."
RPROTOCOL		$# error $@ _TLS_DSN_ $: "_TLS_CODE_ STARTTLS failed."
RDANE_FAIL		$# error $@ _TLS_DSN_ $: "_TLS_CODE_ DANE check failed."
RCONFIG			$# error $@ _TLS_DSN_ $: "_TLS_CODE_ STARTTLS temporarily not possible."
')dnl

ifdef(`_NEEDS_TLS_', `# n : m, the larger one
Smax
R:			$@ 0
R: $-			$@ $1
R$- :			$@ $1
R$- : $-		$: $(arith l $@ $1 $@ $2 $) : $1 : $2
RTRUE : $- : $-		$@ $2
R$- : $- : $-		$@ $2
')dnl

# may relay for its certificate? RELAY or NO
SRelayTLS
R$*			$: $&{verify}
ifdef(`_F_access_db_', `ROK			$: OK $| ifdef(`_CERT_REGEX_ISSUER_', `$(CERTIssuer $&{cert_issuer} $)', `$&{cert_issuer}')
RTRUSTED		$: OK $| ifdef(`_CERT_REGEX_ISSUER_', `$(CERTIssuer $&{cert_issuer} $)', `$&{cert_issuer}')
ROK $| $+		$: < $(access CERTISSUER : $1 $) >
R< RELAY >		$# RELAY
R< SUBJECT >		$: < @ > ifdef(`_CERT_REGEX_SUBJECT_', `$(CERTSubject $&{cert_subject} $)', `$&{cert_subject}')
R< @ > $+		$: < @ > $(access CERTSUBJECT : $1 $)
R< @ > RELAY		$# RELAY
')dnl
R$*			$: NO

#####
##### User and password for a server that wants AUTH
#####

Sauthinfo
ifdef(`_F_authinfo_', `# _FROM_(`FEATURE', `authinfo')
R$*			$: < $(authinfo AuthInfo : $&{server_name} $: ? $) >
R<?>			$: < $(authinfo AuthInfo : $&{server_addr} $: ? $) >
R<?>			$: < $(authinfo AuthInfo : $: ? $) >
R<?>			$@ no
R< $* >			$# $1
', `ifdef(`_F_access_db_', `R$*			$: $1 $| $>D < $&{server_name} > <?> < ! AuthInfo > <>
R$* $| <?> $*		$: $1 $| $>A < $&{server_addr} > <?> < ! AuthInfo > <>
R$* $| <?> $*		$: $1 $| < $(access AuthInfo : $: ? $) > <>
R$* $| <?> $*		$@ no
R$* $| < $* > <>	$# $2
')')dnl
ifdef(`_F_sts_', `
#####
##### _FROM_(`FEATURE', `sts'): policies of MTA-STS. The map answers "secure match=host:.domain:... servername=name" for domains that have one.
#####

# the policy of the domain of the recipient asks for a certificate; verify
SSTS_secure
R$*			$: < $&{rcpt_addr} > $1
R< > $*			$@ ok
R< $* @ $+ > $*		$: < $(sts $2 $: none $) > $3
R< $* <TMPF> > $*	$# error $@ 4.7.0 $: 450 STS lookup temp fail
R< secure $* > $*	$: $2 $| $>"TLS_connection" $2 $| <TEMP + VERIFY>
R$* $| $#$*		$# $2
R$* $| $*		$@ $1
R< $* > $*		$: $2

# the server is one that the policy names, .domain for any host of a domain, and the certificate names it as well
SSTS_Check
R$*			$: < $&{rcpt_addr} >
R< $* @ $+ >		$: < $(sts $2 $: none $) >
R< $* <TMPF> >		$# error $@ 4.7.0 $: 450 STS lookup temp fail
R< secure $* >		$: < : $(stsxmatch secure $1 $: $) > $&{server_name}
R< $* . servername=hostname : > $*	$: < $1 : > $2
R< : > $*		$: <named>
R< $* > $- . $+		$: $(macro {sts_domain} $@ . $3 $) < $1 > $2 . $3
R< $* : $&{server_name} : $* > $*	$: <named>
R< $* : $&{sts_domain} : $* > $*	$: <named>
R< : $* : > $*		$# error $@ 4.7.0 $: 450 $2 not found in " " $1
R<named>		$@ ifdef(`_STS_SAN_', `$>"STS_SAN" $&{server_name}')
R$*			$@ ok
ifdef(`_STS_SAN_', `
SSTS_SAN
R$*			$: $&{server_name}
R$={cert_altnames}	$@ ok
R$*			$# error $@ 4.7.0 $: 450 $1 not listed in SANs
')dnl

# what a session with a server of that domain needs
SSet_SNI
R$*			$: < $&{rcpt_addr} >
R< $* @ $+ >		$: < $(sts $2 $: none $) >
R< $* <TMPF> >		$# error $@ 4.7.0 $: 450 STS lookup temp fail
R< secure $* >		$: < : $(stsxsni secure $1 $: $) > $(stsxsni2 secure $1 $: : $)
R< : $+ : > $+ :	$@ $(macro {sts_sni} $@ $1 $) sts=secure ; $2
R< : $* > $+		$@ sts=secure ; $2
R$*			$@ ""
')dnl
