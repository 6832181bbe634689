divert(-1)
# who names this host as an exchanger may have mail relayed
_on_(`relay_based_on_MX')
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `relay_based_on_MX'): exchangers of a domain
Kmxserved bestmx -z: -T<TEMP>
POPDIVERT
