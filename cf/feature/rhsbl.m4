divert(-1)
# `FEATURE(`rhsbl', zone, [message], [t | message])': senders whose domain the zone lists are refused
_on_(`rhsbl')
ifelse(_ARG_, `', `_error_(`FEATURE(rhsbl) needs the name of a zone')')
ifdef(`_DNSBL_MAP_THERE_', `', `ifdef(`_RHSBL_MAP_THERE_', `', `define(`_RHSBL_MAP_THERE_')PUSHDIVERT(_D_CONFIG_)dnl
# a list of names, kept by a name server; the map of `FEATURE(dnsbl)' takes its place
Kdnsbl host -T<TMP>
POPDIVERT')')
PUSHDIVERT(_D_DNSBL_)dnl

# _FROM_(`FEATURE', `rhsbl'): _ARG_
R$*			$: <@> $>CanonAddr $&f
R<@> $* <@ $+ . >	$: $(macro {RHS} $@ $2 $: $) <?> $2
ifdef(`_F_access_db_', `R<?> $+			$: $>D < $1 > <?> < + rhs > < $1 >
R<?> < $+ >		$: <?> $1
R< $={Accept} > $*	$: OKSOFAR
R< $+ > < $+ >		$: <?> $2
')dnl
R<?> $+			$: <?> $(dnsbl $1._ARG_. $: OK $)
R<?> OK			$: OKSOFAR
R<?> $+ <TMP>		ifelse(_ARG3_, `', `$: TMPOK', _ARG3_, `t', `$# error $@ 4.7.1 $: "451 Temporary lookup failure of " $&{RHS} " at _ARG_"', `$# error $@ 4.7.1 $: _ARG3_')
R<?> $+			$# error $@ 5.7.1 $: ifelse(_ARG2_, `', `"550 Mail from " $&{RHS} " refused by blackhole site _ARG_"', `_ARG2_')
R<@> $*			$: OKSOFAR
POPDIVERT
