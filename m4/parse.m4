
#####
##### Ruleset 0, parse: where an address goes: mailer, host, user
#####

Sparse=0

R$*			$: $>Parse0 $1			mistakes, our own names
R<@>			$# _LOCAL_ $: <@>		the program has its own words for this
R$*			$: $>ParseLocal $1		rules of the site
R$*			$: $>Parse1 $1			everything else

#####
##### Parse0: refuses what is no address and takes our own host names away
#####

SParse0
R<@>			$@ <@>
R<> $*			$: $1
R$* : $* ; <@>		$# error $@ 5.1.3 $: "553 List:; syntax illegal for recipient addresses"
R@ <@ $* >		< @ $1 >
R<@ $+ >		$# error $@ 5.1.3 $: "553 User address required"
R$+ <@ >		$# error $@ 5.1.3 $: "553 Hostname required"

# a colon in a host is possible behind a literal address only: <> not looked at yet
R$*			$: <> $1
R<> $* <@ [ $* ] : $+ > $*	$: $1 <@ [ $2 ] : $3 > $4
R<> $* <@ [ $* ] , $+ > $*	$: $1 <@ [ $2 ] , $3 > $4
R<> $* <@ [ $* ] $+ > $*	$# error $@ 5.1.2 $: "553 Invalid address"
R<> $* <@ [ $+ ] > $*		$: $1 <@ [ $2 ] > $3
R<> $* < $* : $* > $*		$# error $@ 5.1.3 $: "553 Colon illegal in host name part"
R<> $*				$: $1

# dots and at signs in wrong places
R$* <@ . $* > $*		$# error $@ 5.1.2 $: "553 Invalid host name"
R$* <@ $* . . $* > $*		$# error $@ 5.1.2 $: "553 Invalid host name"
ifdef(`_STRICT_RFC821_', `# `_STRICT_RFC821_': and in the local part
R. $* <@ $+ > $*		$# error $@ 5.1.2 $: "553 Invalid local part"
R$* . <@ $+ > $*		$# error $@ 5.1.2 $: "553 Invalid local part"
R$* . . $* <@ $+ > $*		$# error $@ 5.1.2 $: "553 Invalid local part"
')dnl
R$* <@ $* @ > $*		$# error $@ 5.1.2 $: "553 Invalid route address"
R$* @ $* <@ $* > $*		$# error $@ 5.1.3 $: "553 Invalid route address"
R$* , $~O $*			$# error $@ 5.1.3 $: "553 Invalid route address"
ifdef(`_F_bcc_', `# _FROM_(`FEATURE', `bcc')
R$*			$: $>ParseBcc $1
')dnl
undivert(_D_PARSE0_)dnl

# A name of this host goes, and if the rest leads to another host, it starts all over.
# *LOCAL* stands for "no host was given" meanwhile.
R$* <@ >			$@ $>Parse0 $>canonify $1
R<@ $=w . > : $*		$@ $>Parse0 $>canonify $2
R$- <@ $=w . >			$: $(dequote $1 $) <@ $2 . >
R<@ $+ >			$# error $@ 5.1.3 $: "553 User address required"
R$* $=O $* <@ $=w . >		$@ $>Parse0 $>canonify $1 $2 $3
R$-				$: $(dequote $1 $) <@ *LOCAL* >
R<@ *LOCAL* >			$# error $@ 5.1.3 $: "553 User address required"
R$* $=O $* <@ *LOCAL* >		$@ $>Parse0 $>canonify $1 $2 $3
R$* <@ *LOCAL* >		$: $1

#####
##### ParseLocal: `LOCAL_RULE_0'
#####

SParseLocal=98
undivert(_D_RULE0_)dnl
ifdef(`_F_domainmap_', `# _FROM_(`FEATURE', `domainmap'): domains with a table of users of their own
R$* <@ $={MappedDomain} . >	$@ $>DomainMapLookup $1 <@ $2 . >
')dnl
ifdef(`_F_redirect_', `# _FROM_(`FEATURE', `redirect'): not while databases of aliases are made
R$* <@ $+ .REDIRECT. >	$: < ${opMode} > $1 <@ $2 .REDIRECT. >
R<i> $* <@ $+ .REDIRECT. >	$: $1 <@ $2 .REDIRECT. >
R< $- > $* <@ $+ .REDIRECT. >	$# error $@ 5.1.1 $: "551 User has moved; please try " < $2 @ $3 >
')dnl

#####
##### Parse1: the way of a good address
#####

ifdef(`_F_domainmap_', `#####
##### DomainMapLookup: the table of a domain is called domain_ and its name, with _ for dots; it is asked for the user without detail
#####

SDomainMapLookup
undivert(_D_DMAP_)dnl
R< $* <TEMP> > $*	$# error $@ 4.3.0 $: "451 Temporary failure of the domain map"
R<NOTFOUND> $*		$# error $@ 5.1.1 $: "550 email address lookup in domain map failed"
R< error : $- . $- . $- : $+ > $+	$# error $@ $1 . $2 . $3 $: $4
R< error : $- $+ > $+	$# error $@ $(dequote $1 $) $: $2
R< $+ @ $+ > < $* > $*	$@ $>Recurse $1 $3 @ $2
R< $+ > < $* > $*	$@ $>Recurse $1
')dnl

SParse1
undivert(_D_PARSE1_)dnl
ifdef(`_MAILER_usenet_', `# news groups
R$+ .USENET <@ $=w . >	$# usenet $@ usenet $: $1

')dnl
ifdef(`_F_ldap_routing_', `# _FROM_(`FEATURE', `ldap_routing')
R$+ <@ $={LDAPRoute} . >	$: $>LDAPExpand < $1 <@ $2 . > > < $1 @ $2 > <>
R$+ <@ $={LDAPRouteEquiv} . >	$: $>LDAPExpand < $1 <@ $2 . > > < $1 @ $M > <>

')dnl

# literal addresses
R$* <@ [ $+ ] > $*		$: $>ParseLocal $1 <@ [ $2 ] > $3
R$* <@ [ $+ ] > $*		$: $1 <@ [ $2 ] : $S > $3
R$* <@ [ $+ ] : > $*		$# _SMTP_ $@ [ $2 ] $: $1 <@ [ $2 ] > $3
R$* <@ [ $+ ] : $- : $* > $*	$# $3 $@ $4 $: $1 <@ [ $2 ] > $5
R$* <@ [ $+ ] : $+ > $*		$# _SMTP_ $@ $3 $: $1 <@ [ $2 ] > $4
ifdef(`_F_virtusertable_', `
# _FROM_(`FEATURE', `virtusertable')
# <?> nothing found so far, else the new address; %1 user, %2 detail, %3 the same with its plus sign
R$+ <@ ifdef(`_F_virtuser_entire_domain_', `$* $={VirtHost} . >	$: <?> $1 <@ $2 $3 . >', `$={VirtHost} . >		$: <?> $1 <@ $2 . >')
R$+ <@ $=w . >			$: <?> $1 <@ $2 . >
R<?> $+ <@ $+ . >		$: < $(virtuser $1 @ $2 $@ $1 $: ? $) > $1 <@ $2 . >
R<?> $+ + $+ <@ $+ . >		$: < $(virtuser $1 + + @ $3 $@ $1 $@ $2 $@ + $2 $: ? $) > $1 + $2 <@ $3 . >
R<?> $+ + $* <@ $+ . >		$: < $(virtuser $1 + * @ $3 $@ $1 $@ $2 $@ + $2 $: ? $) > $1 + $2 <@ $3 . >
R<?> $+ + $* <@ $+ . >		$: < $(virtuser $1 @ $3 $@ $1 $@ $2 $@ + $2 $: ? $) > $1 + $2 <@ $3 . >
R<?> $+ + $+ <@ $+ . >		$: < $(virtuser + + @ $3 $@ $1 $@ $2 $@ + $2 $: ? $) > $1 + $2 <@ $3 . >
R<?> $+ + $* <@ $+ . >		$: < $(virtuser + * @ $3 $@ $1 $@ $2 $@ + $2 $: ? $) > $1 + $2 <@ $3 . >
R<?> $+ + $* <@ $+ . >		$: < $(virtuser @ $3 $@ $1 $@ $2 $@ + $2 $: ! $) > $1 + $2 <@ $3 . >
R<?> $+ <@ $+ . >		$: < $(virtuser @ $2 $@ $1 $: ! $) > $1 <@ $2 . >
R<!> $+				$: $1
R< error : $- . $- . $- : $+ > $+	$# error $@ $1 . $2 . $3 $: $4
R< error : $- $+ > $+		$# error $@ $(dequote $1 $) $: $2
ifdef(`_VIRTUSER_STOP_ONE_LEVEL_RECURSION_', `# a user that is its own target stays here
R< $+ > $+ <@ $+ . >		$: < $1 > $2 <@ $3 . > <=> $2 @ $3
R< $+ > $+ <@ $+ . > <=> $1	$# _LOCAL_ $: $2
R< $+ > $+ <=> $*		$: < $1 > $2
')dnl
ifdef(`_NO_VIRTUSER_RECURSION_', `R< $+ > $+ <@ $+ >		$: $>canonify $1', `R< $+ > $+ <@ $+ >		$@ $>Recurse $1')
')dnl

# this host
ifdef(`_F_stickyhost_', `# _FROM_(`FEATURE', `stickyhost'): the address keeps our name for MAIL_HUB, LOCAL_RELAY has no part in it
R$+ <@ $=w . >			$: < ifdef(`MAIL_HUB', `$H') > $1 <@ $2 . >
R< $+ > $+ <@ $=w . >		$: $>MailerToTriple < $1 > $2 <@ $3 . >
R< > $+ + $* <@ $=w . >	$# _LOCAL_ $: $1 + $2
R< > $+ <@ $=w . >		$# _LOCAL_ $: @ $1
', `R$=L <@ $=w . >			$# _LOCAL_ $: @ $1		no other host takes these names
R$+ <@ $=w . >			$# _LOCAL_ $: $1
')dnl
ifdef(`_F_mailertable_', `
# _FROM_(`FEATURE', `mailertable'): first the host itself, then its parents
R$* <@ $+ > $*			$: < $2 > $1 <@ $2 > $3
R< $+ . > $*			$: < $1 > $2
R< $+ > $*			$: < $(mailertable $1 $) > $2
R< $~[ : $* > $*		$>MailerToTriple < $1 : $2 > $3
R< $+ > $*			$: $>Mailertable < $1 > $2
')dnl

# `MAILER'(uucp), `LOCAL_UUCP'
undivert(_D_UUCP_)dnl

# domains that only another host can reach
ifdef(`UUCP_RELAY', `R$* <@ $+ .UUCP. > $*		$: $>MailerToTriple < $Y > $1 <@ $2 .UUCP. > $3
', `ifdef(`_MAILER_uucp_', `R$* <@ $+ .UUCP. > $*		$# confUUCP_MAILER $@ $2 $: $1 <@ $2 .UUCP. > $3
')')dnl
ifdef(`BITNET_RELAY', `R$* <@ $+ .BITNET. > $*		$: $>MailerToTriple < $B > $1 <@ $2 .BITNET. > $3
')dnl
ifdef(`DECNET_RELAY', `R$* <@ $+ .DECNET. > $*		$: $>MailerToTriple < $C > $1 <@ $2 .DECNET. > $3
')dnl
ifdef(`_MAILER_pop_', `R$+ <@ POP. >			$# pop $: $1
')dnl
ifdef(`_MAILER_fax_', `R$+ <@ $+ .FAX. >		$# fax $@ $2 $: $1
', `ifdef(`FAX_RELAY', `R$* <@ $+ .FAX. > $*		$: $>MailerToTriple < $F > $1 <@ $2 .FAX. > $3
')')dnl
ifdef(`_MAILER_usenet_', `R$+ .USENET			$# usenet $@ usenet $: $1
')dnl

# `LOCAL_NET_CONFIG'
undivert(_D_BMX_)dnl
ifdef(`_F_bestmx_is_local_', `
# _FROM_(`FEATURE', `bestmx_is_local')
ifdef(`_BESTMX_LIMIT_', `R$* <@ $* $=B . > $*	$: $1 <@ $2 $3 . @@ $(bestmx $2 $3 . $) > $4
R$* $=O $* <@ $* $=B . @@ $=w . > $*	$@ $>Recurse $1 $2 $3
', `R$* <@ $+ > $*		$: $1 <@ $2 @@ $(bestmx $2 $) > $3
R$* $=O $* <@ $+ @@ $=w . > $*	$@ $>Recurse $1 $2 $3
')dnl
R$+ <@ $* @@ $=w . > $*	$# _LOCAL_ $@ $: $1
R$* <@ $* @@ $* > $*	$: $1 <@ $2 > $4

')dnl
undivert(_D_NET_)dnl

# any other host: `SMART_HOST' if there is one, else its own exchangers
R$* <@ $* > $*			$: $>MailerToTriple < $S > $1 <@ $2 > $3
ifdef(`_MAILER_smtp_', `R$* <@ $* > $*			$# _SMTP_ $@ $2 $: $1 <@ $2 > $3',
`R$* <@ $* > $*			$# error $@ 5.1.2 $: "553 Unrecognized host name " $2')

# a name without a host
R$=L				$# _LOCAL_ $: @ $1
R$+				$# _LOCAL_ $: $1

ifdef(`_F_ldap_routing_', `#####
##### LDAPExpand: < address > < key > < detail taken off >
##### The directory names an address (ldapmra), a host (ldapmh), or both.
#####

SLDAPExpand
R< $+ > < $+ > < $* >	$: < $(ldapmra $2 $: $) > < $(ldapmh $2 $: $) > < $1 > < $2 > < $3 >

# the directory cannot be asked
R< $* <TMPF> > < $* > < $+ > < $+ > < $* >	$: < $&{opMode} > < $3 >
R< $* > < $* <TMPF> > < $+ > < $+ > < $* >	$: < $&{opMode} > < $3 >
ifdef(`_LDAP_TEMPFAIL_', `R< $={SMTPOpModes} > < $+ >	$# error $@ 4.3.0 $: "451 Temporary system failure. Please try again later."
', `R< $={SMTPOpModes} > < $+ >	$@ $2
')dnl
R< $- > < $+ >		$@ $2

# a host that is this one needs no route
R< $* > < $=w > < $+ > < $+ > < $* >	$: < $1 > < . > < $3 > < $4 > < $5 >
R< > < . > < $+ > < $+ > < $* >	$@ $1
# a new address, here or at a host
R< $+ > < $* > < $+ > < $+ > < $* >	$: <=> < $2 > < $5 > $>canonify $1
ifdef(`_LDAP_PRESERVE_', `R<=> < $* > < $+ > $+ <@ $+ >	$: <=> < $1 > < > $3 $2 <@ $4 >
')dnl
R<=> < > < $* > $*	$@ $2
R<=> < . > < $* > $*	$@ $2
R<=> < $+ > < $* > $*	$@ $>LDAPMailertable < $1 > $3
# the same address at a host
R< > < $+ > < $+ > < $+ > < $* >	$@ $>LDAPMailertable < $1 > $2
ifdef(`_LDAP_STRIP_', `# nothing: once more without detail
R< > < > < $+ > < $+ + $* @ $+ > < $* >	$@ $>LDAPExpand < $1 > < $2 @ $4 > < + $3 >
')dnl
ifdef(`_LDAP_NODOMAIN_', `', `# nothing: once more for the whole domain
R< > < > < $+ > < $+ @ $+ > < $* >	$@ $>LDAPExpand < $1 > < @ $3 > < $4 >
')dnl
ifdef(`_LDAP_BOUNCE_', `ifdef(`_LDAP_SENDER_TOO_', `R< > < > < $+ > < $+ > < $* >	$# error $@ nouser $: "550 User unknown"
', `R< > < > < $+ > < $+ > < $* >	$: < $&{addr_type} > < $1 >
R< e s > < $+ >		$@ $1
R< h $* > < $+ >	$@ $2
R< $* > < $+ >		$# error $@ nouser $: "550 User unknown"
')', `R< > < > < $+ > < $+ > < $* >	$@ $1
')dnl

# < host > address: where mailertable sends mail for this host, else to the host itself
SLDAPMailertable
ifdef(`_F_mailertable_', `R< $+ > $*		$: < $1 > < $(mailertable $1 $) > $2
R< $+ > < $~[ : $* > $*	$>MailerToTriple < $2 : $3 > $4
R< $+ > < $+ > $*	$: < $1 > $>Mailertable < $2 > $3
R< $+ > $# $*		$# $2
')dnl
R< $+ > $*		$# _RELAY_ $@ $1 $: $2

')dnl
#####
##### Ruleset 5, localaddr: local names that no alias changed
#####

SLocal_localaddr
Slocaladdr=5
R$+			$: $1 $| $>"Local_localaddr" $1
R$+ $| $#ok		$@ $1
R$+ $| $#$*		$# $2
R$+ $| $*		$: $1
ifdef(`_F_preserve_luser_host_', `
# _FROM_(`FEATURE', `preserve_luser_host'): {Host} is the host of the recipient
R$+			$: $1 $| $&h
R$+ $| + $*		$: $(macro {Host} $@ $) $1
R$+ $| $* @ $+		$: $(macro {Host} $@ $3 $) $1
R$+ $| $*		$: $(macro {Host} $@ $2 $) $1
')dnl
ifdef(`_F_preserve_local_plus_detail_', `', `
# what stands behind a plus sign is tried without it, and comes back as macro h
R$+ + *			$# _LOCAL_ $@ $&h $: $1
R$+ + $*		$# _LOCAL_ $@ + $2 $: $1 + *
')dnl

# <host> takes the name, <> nobody does so far
ifdef(`_F_preserve_local_plus_detail_', `R$+			$: <> $1
', `# and the detail comes back
R$+			$: <> $1 $| $&h
R<> $+ $| + $*		$: <> $1 + $2
R<> $+ $| $*		$: <> $1
')dnl
ifdef(`LUSER_RELAY', `# names that are no users (the map appends <> to those that are)
R<> $+ + $*		$: < $L > $(user $1 $) + $2
R<> $+			$: < $L > $(user $1 $)
R< $* > $+ <> $*	$: <> $2 $3
ifdef(`_F_preserve_luser_host_', `R< $+ > $+		$: < $1 > $2 <?> $&{Host}
R< $+ > $+ <?> $+	$: < $1 > $2 <@ $3 >
R< $+ > $+ <?>		$: < $1 > $2
')dnl
')dnl
ifdef(`MAIL_HUB', `R<> $+			$: < $H > $1
')dnl
ifdef(`LOCAL_RELAY', `R<> $+			$: < $R > $1
')dnl
ifdef(`_F_preserve_local_plus_detail_', `', `R<> $+ + $*		$# _LOCAL_ $@ $2 $: @ $1
')dnl
R<> $+			$@ $1
R< error : $* > $*	$: $>MailerToTriple < error : $1 > $2
R< local : $* > $*	$: $>MailerToTriple < local : $1 > $2
R< $- : $+ > $+ <@ $+ >	$: $>MailerToTriple < $1 : $2 > $3 <@ $4 >
R< $- : $+ > $+		$: $>MailerToTriple < $1 : $2 > $3 <@ $2 >
R< $+ > $+ <@ $+ >	$@ $>MailerToTriple < $1 > $2 <@ $3 >
R< $+ > $+		$@ $>MailerToTriple < $1 > $2 <@ $1 >

#####
##### Ruleset 90, Mailertable: parents of a host
##### stripped . < rest . of . host > address
#####

ifdef(`_F_mailertable_', `SMailertable=90
R$* < $- . $+ > $*	$: $1 $2 < $(mailertable . $3 $@ $1 $2 $@ $2 $) > $4
R$* < $~[ : $* > $*	$>MailerToTriple < $2 : $3 > $4
R$* < . $+ > $*		$@ $>Mailertable $1 . < $2 > $3
R$* < $* > $*		$: < $(mailertable . $@ $1 $2 $) > $3
R< $~[ : $* > $*	$>MailerToTriple < $1 : $2 > $3
R< $* > $*		$@ $2
')dnl

#####
##### Ruleset 95, MailerToTriple: < [mailer:] host > address
##### Also < error : ... > and < local : user >. Nothing, or one of our names, leaves the address as it is.
#####

SMailerToTriple=95
R<> $*				$@ $1
R< local : > $*			$@ $>CanonLocal <> $1
# <: mailer > < host > address
R< $~[ : $+ > $*		$: <: $1 > < $2 > $3
R<: error > < $- . $- . $- : $+ > $*	$# error $@ $1 . $2 . $3 $: $4
R<: error > < $- : $+ > $*	$# error $@ $(dequote $1 $) $: $2
R<: error > < $+ > $*		$# error $: $1
R<: local > < $+ > $*		$@ $>CanonLocal < $1 > $2
R<: $- > < $+ @ $+ > $* < $* > $*	$# $1 $@ $3 $: $2 <@ $3 >
R<: $- > < $+ > $*		$# $1 $@ $2 $: $3
R< $=w > $*			$@ $2
R< $+ > $*			$# _RELAY_ $@ $1 $: $2

#####
##### CanonLocal: < user > address, for local delivery to a user; <> to that of the address
#####

SCanonLocal
# whoever goes on from here to another host is looked at again
R< $* > <@ $+ > : $+		$@ $>Recurse $3
R< $* > $+ $=O $+ <@ $+ >	$@ $>Recurse $2 $3 $4
R< $* > $* <@ $+ . >		$: < $1 > $2 <@ $3 >
R<> $* <@ $* > $*		$: < $1 > $1 <@ $2 > $3
R<> $+				$: < $1 > $1
R< $+ @ $+ > $* <@ $* > $*	$: < $1 > $3 <@ $4 > $5
R< $* > $* <@ $* > $*		$# _LOCAL_ $@ $2 @ $3 $4 $: $1
R< $+ > $*			$# _LOCAL_ $@ $2 $: $1
