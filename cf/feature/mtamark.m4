divert(-1)
# `FEATURE(`mtamark', [message], [t | message], [prefix])': clients that their own zone calls no mail hosts are refused
_on_(`mtamark')
define(`_MTAMARK_PREFIX_', ifelse(_ARG3_, `', `_perm._smtp._srv', `_ARG3_'))
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `mtamark')
Kmtamark dns -R TXT -a. -T<TMP> -r`'ifdef(`MTAMARK_TO', `MTAMARK_TO', `5')
POPDIVERT
PUSHDIVERT(_D_DNSBL_)dnl

# _FROM_(`FEATURE', `mtamark')
R$*			$: $&{client_addr}
R$-.$-.$-.$-		$: <?> $(mtamark _MTAMARK_PREFIX_.$4.$3.$2.$1.in-addr.arpa. $: OK $)
R<?> 1.			$: OKSOFAR
R<?> 0.			$# error $@ 5.7.1 $: ifelse(_ARG_, `', `"550 Rejected: " $&{client_addr} " not listed as MTA"', `_ARG_')
R<?> $+ <TMP>		ifelse(_ARG2_, `', `$: TMPOK', _ARG2_, `t', `$# error $@ 4.4.3 $: "451 Temporary lookup failure of " _MTAMARK_PREFIX_.$&{client_addr}', `$# error $@ 4.4.3 $: _ARG2_')
POPDIVERT
