divert(-1)
# `FEATURE(`check_other', [expression])': a client that sends commands of another protocol is cut off
_on_(`check_other')
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `check_other')
Kbadcmd regex -m -a<BADCMD> ifelse(_ARG_, `', `^[[:print:]]+ *:', `_ARG_')
POPDIVERT
PUSHDIVERT(_D_SETS_)dnl

# _FROM_(`FEATURE', `check_other'): command $| first digit of the reply
Scheck_other
R$* $| 5		$: <?> < $(badcmd $1 $: $) > $1
R$* $| $*		$@ ok
R<?> < $* <BADCMD> > $*	$# error $@ 4.7.0 $: 421 bad command
R<?> < $* > $*		$: $2
POPDIVERT
