divert(-1)
# `FEATURE(`drac', [map])': clients that fetched mail a while ago may relay
_on_(`drac')
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `drac')
Kdrac ifelse(_ARG_, `', `DATABASE_MAP_TYPE MAIL_SETTINGS_DIR`'drac', `_ARG_')
POPDIVERT
PUSHDIVERT(_D_RELAY_)dnl

# _FROM_(`FEATURE', `drac')
R$*			$: $1 $| $(drac $1 $: ? $)
R$* $| ?		$: $1
R$* $| $*		$@ RELAY
POPDIVERT
