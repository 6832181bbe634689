ifdef(`_F_access_db_', `
#####
##### The access map. All of D, A, F, U and E take
#####	<key> <what to return when nothing is found> <mark tag> <something to keep>
##### and return <value> <something kept>. Mark ! asks for tag:key only, + also for the key alone.
##### A map that cannot be asked gives the value <TMPF>.
#####

# a domain, then its parents
SD
R< > < $+ > < $- $- > < $* >	$@ < $(access $3 : $: ? $) > < > < $1 > < $2 $3 > < $4 >
R< $+ > < $+ > < $- $- > < $* >	$: < $(access $4 : $1 $: ? $) > $1 $| < $2 > < $3 $4 > < $5 >
R<?> $+ $| < $+ > < + $- > < $* >	$: < $(access $1 $: ? $) > $1 $| < $2 > < + $3 > < $4 >
ifdef(`_F_lookupdotdomain_', `# _FROM_(`FEATURE', `lookupdotdomain'): .parent as well
R<?> $- . $+ $| < $+ > < $- $- > < $* >	$: < $(access $5 : . $2 $: ? $) > $1 . $2 $| < $3 > < $4 $5 > < $6 >
R<?> $- . $+ $| < $+ > < + $- > < $* >	$: < $(access . $2 $: ? $) > $1 . $2 $| < $3 > < + $4 > < $5 >
')dnl
ifdef(`_ACCESS_SKIP_', `R< SKIP > $* $| < $+ > < $- $- > < $* >	$@ < $2 > < $5 >
')dnl
R<?> [ $+ . $- ] $| $*		$@ $>D < [ $1 ] > $3
R<?> [ $+ : : $- ] $| $*	$: $>D < [ $1 ] > $3
R<?> [ $+ : $- ] $| $*		$: $>D < [ $1 ] > $3
R<?> $- . $+ $| $*		$@ $>D < $2 > $3
R<?> $* $| < $+ > < $- $- > < $* >	$@ < $2 > < $5 >
R< $* <TMPF> > $* $| < $+ > < $- $- > < $* >	$@ < <TMPF> > < $6 >
R< $* > $* $| < $+ > < $- $- > < $* >	$@ < $1 > < $6 >

# an address of a host, then its networks
SA
R< $+ > < $+ > < $- $- > < $* >	$: < $(access $4 : $1 $: ? $) > $1 $| < $2 > < $3 $4 > < $5 >
R<?> $+ $| < $+ > < + $- > < $* >	$: < $(access $1 $: ? $) > $1 $| < $2 > < + $3 > < $4 >
ifdef(`_ACCESS_SKIP_', `R< SKIP > $* $| < $+ > < $- $- > < $* >	$@ < $2 > < $5 >
')dnl
R<?> $+ : : $- $| $*		$@ $>A < $1 > $3
R<?> $+ : $- $| $*		$@ $>A < $1 > $3
R<?> $+ . $- $| $*		$@ $>A < $1 > $3
R<?> $* $| < $+ > < $- $- > < $* >	$@ < $2 > < $5 >
R< $* <TMPF> > $* $| < $+ > < $- $- > < $* >	$@ < <TMPF> > < $6 >
R< $* > $* $| < $+ > < $- $- > < $* >	$@ < $1 > < $6 >

# a full address: user+detail@host, user+*@host, user@host
SF
R< $+ > < $* > < $- $- > < $* >	$: < $(access $4 : $1 $: ? $) > $1 $| < $2 > < $3 $4 > < $5 >
R<?> $+ $| < $* > < + $- > < $* >	$: < $(access $1 $: ? $) > $1 $| < $2 > < + $3 > < $4 >
R<?> $+ + $* @ $+ $| < $* > < $- $- > < $* >	$: < $(access $6 : $1 + * @ $3 $: ? $) > $1 + $2 @ $3 $| < $4 > < $5 $6 > < $7 >
R<?> $+ + $* @ $+ $| < $* > < + $- > < $* >	$: < $(access $1 + * @ $3 $: ? $) > $1 + $2 @ $3 $| < $4 > < + $5 > < $6 >
R<?> $+ + $* @ $+ $| < $* > < $- $- > < $* >	$: < $(access $6 : $1 @ $3 $: ? $) > $1 + $2 @ $3 $| < $4 > < $5 $6 > < $7 >
R<?> $+ + $* @ $+ $| < $* > < + $- > < $* >	$: < $(access $1 @ $3 $: ? $) > $1 + $2 @ $3 $| < $4 > < + $5 > < $6 >
R<?> $* $| < $* > < $- $- > < $* >	$@ < $2 > < $5 >
R< $+ <TMPF> > $* $| < $* > < $- $- > < $* >	$@ < <TMPF> > < $6 >
R< <TMPF> > $* $| < $* > < $- $- > < $* >	$@ < <TMPF> > < $5 >
R< $+ > $* $| < $* > < $- $- > < $* >	$@ < $1 > < $6 >

# the key as it stands
SE
R< $* > < $* > < $- $- > < $* >	$: < $(access $4 : $1 $: ? $) > $1 $| < $2 > < $3 $4 > < $5 >
R<?> $* $| < $* > < + $- > < $* >	$: < $(access $1 $: ? $) > $1 $| < $2 > < + $3 > < $4 >
R<?> $* $| < $* > < $- $- > < $* >	$@ < $2 > < $5 >
R< $* <TMPF> > $* $| < $* > < $- $- > < $* >	$@ < <TMPF> > < $6 >
R< $* > $* $| < $* > < $- $- > < $* >	$@ < $1 > < $6 >

# a user of any host: user+detail@, user+*@, user@
SU
R< $+ > < $* > < $- $- > < $* >	$: < $(access $4 : $1 $: ? $) > $1 $| < $2 > < $3 $4 > < $5 >
R<?> $+ $| < $* > < + $- > < $* >	$: < $(access $1 $: ? $) > $1 $| < $2 > < + $3 > < $4 >
R<?> $+ + $* @ $| < $* > < $- $- > < $* >	$: < $(access $5 : $1 + * @ $: ? $) > $1 + $2 @ $| < $3 > < $4 $5 > < $6 >
R<?> $+ + $* @ $| < $* > < + $- > < $* >	$: < $(access $1 + * @ $: ? $) > $1 + $2 @ $| < $3 > < + $4 > < $5 >
R<?> $+ + $* @ $| < $* > < $- $- > < $* >	$: < $(access $5 : $1 @ $: ? $) > $1 + $2 @ $| < $3 > < $4 $5 > < $6 >
R<?> $+ + $* @ $| < $* > < + $- > < $* >	$: < $(access $1 @ $: ? $) > $1 + $2 @ $| < $3 > < + $4 > < $5 >
R<?> $* $| < $* > < $- $- > < $* >	$@ < $2 > < $5 >
R< $* <TMPF> > $* $| < $* > < $- $- > < $* >	$@ < <TMPF> > < $6 >
R< $* > $* $| < $* > < $- $- > < $* >	$@ < $1 > < $6 >

# <mark tag> $| <X:key> <Y:key> ... <>: the first of them that has a value; X, Y name the rulesets above
C{Src}E F D U A
SSearchList
R< $+ > $| < $={Src} : $* > < $* >	$: < $1 > $| < $4 > $| $>$2 < $3 > <?> < $1 > <>
R< $+ > $| < > $| < ? > < >	$@ <?>
R< $+ > $| < $+ > $| < ? > < >	$@ $>SearchList < $1 > $| < $2 >
R< $+ > $| < $* > $| < $+ > < >	$@ < $3 >
')dnl

#####
##### Addresses for the checks
#####

# as ruleset 3 and the first half of ruleset 0 see it
SCanonAddr
R$*			$: $>Parse0 $>canonify $1
ifdef(`_USE_DEPRECATED_ROUTE_ADDR_', `# a route leads to its first stop, whatever stands behind it
R<@ $+ > : @ $+ : $+	<@ $1 > : $3 % $2
R<@ $+ > : $+ @ $+	$: $2 % $3 <@ $1 >
R<@ $+ > : $+		$: $2 <@ $1 >
')dnl

# a recipient without those hosts that pass it on for us anyway
SParseRecipient
R$*				$: <?> $>CanonAddr $1
R<?> $* <@ $* . >		$: <?> $1 <@ $2 >
R<?> $- <@ $* >			$: <?> $(dequote $1 $) <@ $2 >
R<?> $* $=O $* <@ $* >		$: <via> $1 $2 $3 <@ $4 >
R<?> $*				$@ $1
ifdef(`_F_relay_hosts_only_', `R<via> $* <@ $=R >		$: <RELAY> $1 <@ $2 >
ifdef(`_F_access_db_', `R<via> $* <@ $+ >		$: < $(access To : $2 $: via $) > $1 <@ $2 >
R<via> $* <@ $+ >		$: < $(access $2 $: via $) > $1 <@ $2 >
')dnl
', `R<via> $* <@ $* $=R >		$: <RELAY> $1 <@ $2 $3 >
ifdef(`_F_access_db_', `R<via> $* <@ $+ >		$: $>D < $2 > <via> < + To > < $1 <@ $2 > >
R< $+ > < $+ >			$: < $1 > $2
')dnl
')dnl
ifdef(`_F_relay_entire_domain_', `R<via> $* <@ $* $=m >		$: <RELAY> $1 <@ $2 $3 >
')dnl
ifdef(`_F_relay_based_on_MX_', `R<via> $* <@ $+ >		$: < : $(mxserved $2 $) : > $1 <@ $2 >
R< : $* <TEMP> : > $*		$# TEMP $@ 4.4.0 $: "450 Can not check MX records for recipient host " $1
R< $* : $=w . : $* > $*		$: <RELAY> $4
R< : $* : > $*			$: <via> $2
')dnl
R<RELAY> $* <@ $* >		$@ $>ParseRecipient $1
R< $+ > $*			$@ $2
