divert(-1)
# `FEATURE(`enhdnsbl', zone, [message | quarantine | discard], [t | message], [answer]...)': the same, for certain answers only
_on_(`enhdnsbl')
ifelse(_ARG_, `', `_error_(`FEATURE(enhdnsbl) needs the name of a zone')')
ifdef(`_EDNSBL_MAP_THERE_', `', `define(`_EDNSBL_MAP_THERE_')PUSHDIVERT(_D_CONFIG_)dnl
# a list of addresses with reasons, kept by a name server
Kednsbl dns -R A -a. -T<TMP> -r`'ifdef(`EDNSBL_TO', `EDNSBL_TO', `5')
POPDIVERT')
define(`_EDNSBL_REPLY_', `ifelse(_ARG2_, `quarantine', `$`'# error $`'@ quarantine $: _ARG_', _ARG2_, `discard', `$`'# discard $: discard', _ARG2_, `', `$`'# error $`'@ 5.7.1 $: "550 Rejected: " $&{client_addr} " listed at _ARG_"', `$`'# error $`'@ 5.7.1 $: _ARG2_')')
define(`_ednsbl_answer_', `ifelse(`$1', `', `', `R<?> $1			_EDNSBL_REPLY_
')')
PUSHDIVERT(_D_DNSBL_)dnl

# _FROM_(`FEATURE', `enhdnsbl'): _ARG_
R$*			$: $&{client_addr}
R$-.$-.$-.$-		$: <?> $(ednsbl $4.$3.$2.$1._ARG_. $: OK $)
R<?> OK			$: OKSOFAR
R<?> $+ <TMP>		ifelse(_ARG3_, `', `$: TMPOK', _ARG3_, `t', `$# error $@ 4.4.3 $: "451 Temporary lookup failure of " $&{client_addr} " at _ARG_"', `$# error $@ 4.4.3 $: _ARG3_')
ifelse(_ARG4_, `', `_ednsbl_answer_(`$+')', `_ednsbl_answer_(_ARG4_)')dnl
_ednsbl_answer_(_ARG5_)dnl
_ednsbl_answer_(_ARG6_)dnl
_ednsbl_answer_(_ARG7_)dnl
_ednsbl_answer_(_ARG8_)dnl
_ednsbl_answer_(_ARG9_)dnl
POPDIVERT
