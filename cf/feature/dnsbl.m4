divert(-1)
# `FEATURE(`dnsbl', zone, [message | quarantine | discard], [t | message])': clients that the zone lists are refused
_on_(`dnsbl')
ifelse(_ARG_, `', `_error_(`FEATURE(dnsbl) needs the name of a zone')')
ifdef(`_DNSBL_MAP_THERE_', `', `define(`_DNSBL_MAP_THERE_')PUSHDIVERT(_D_CONFIG_)dnl
# a list of addresses, kept by a name server
Kdnsbl ifdef(`DNSBL_MAP', `DNSBL_MAP', `dns -R A') -T<TMP>`'ifdef(`DNSBL_MAP_OPT', ` DNSBL_MAP_OPT')
POPDIVERT')
PUSHDIVERT(_D_DNSBL_)dnl

# _FROM_(`FEATURE', `dnsbl'): _ARG_
R$*			$: $&{client_addr}
R$-.$-.$-.$-		$: <?> $(dnsbl $4.$3.$2.$1._ARG_. $: OK $)
R<?> OK			$: OKSOFAR
R<?> $+ <TMP>		ifelse(_ARG3_, `', `$: TMPOK', _ARG3_, `t', `$# error $@ 4.4.3 $: "451 Temporary lookup failure of " $&{client_addr} " at _ARG_"', `$# error $@ 4.4.3 $: _ARG3_')
R<?> $+			ifelse(_ARG2_, `quarantine', `$# error $@ quarantine $: _ARG_', _ARG2_, `discard', `$# discard $: _ARG_', _ARG2_, `', `$# error $@ 5.7.1 $: "550 Rejected: " $&{client_addr} " listed at _ARG_"', `$# error $@ 5.7.1 $: _ARG2_')
POPDIVERT
