divert(-1)
# `FEATURE(`bestmx_is_local', [domains])': what this host is the best exchanger for is delivered here
_on_(`bestmx_is_local')
ifelse(_ARG_, `', `', `define(`_BESTMX_LIMIT_')PUSHDIVERT(_D_CLASS_)CB`'_ARG_
POPDIVERT')
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `bestmx_is_local')
Kbestmx bestmx
POPDIVERT
