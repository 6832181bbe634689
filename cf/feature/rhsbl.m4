divert(-1)
# `FEATURE(`rhsbl', zone, [message], [t | message])': senders whose domain the zone lists are refused
_on_(`rhsbl')
ifelse(_ARG_, `', `_error_(`FEATURE(rhsbl) needs the name of a zone')')
ifdef(`_DNSBL_MAP_THERE_', `', `define(`_DNSBL_MAP_THERE_')PUSHDIVERT(_D_CONFIG_)dnl
# a list of names, kept by a name server
Kdnsbl host -T<TMP>
POPDIVERT')
