divert(-1)
# `FEATURE(`bestmx_is_local', [domains])': what this host is the best exchanger for is delivered here
_on_(`bestmx_is_local')
ifelse(_ARG_, `', `', `define(`_BESTMX_LIMIT_')PUSHDIVERT(_D_CLASS_)CB`'_ARG_
POPDIVERT')
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `bestmx_is_local')
Kbestmx bestmx
POPDIVERT
PUSHDIVERT(_D_BMX_)dnl

# _FROM_(`FEATURE', `bestmx_is_local')
ifdef(`_BESTMX_LIMIT_', `R$* <@ $* $=B . > $*	$: $1 <@ $2 $3 . @@ $(bestmx $2 $3 . $) > $4
R$* $=O $* <@ $* $=B . @@ $=w . > $*	$@ $>Recurse $1 $2 $3
', `R$* <@ $+ > $*		$: $1 <@ $2 @@ $(bestmx $2 $) > $3
R$* $=O $* <@ $+ @@ $=w . > $*	$@ $>Recurse $1 $2 $3
')dnl
R$+ <@ $* @@ $=w . > $*	$# _LOCAL_ $: $1
R$* <@ $* @@ $* > $*	$: $1 <@ $2 > $4
POPDIVERT
