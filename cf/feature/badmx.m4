divert(-1)
# `FEATURE(`badmx', [expression])': senders of domains with impossible exchangers are refused
_on_(`badmx')
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `badmx')
Kmxlist bestmx -z: -T<TEMP>
Kbadmx regex -a<BADMX> ^(([0-9]{1,3}\.){3}[0-9]){0,1}\.$
KBadMXIP regex -a<BADMXIP> ifelse(_ARG_, `', `^(127\.|10\.|0\.0\.0\.0)', `_ARG_')
KdnsA dns -R A -a. -T<TEMP>
POPDIVERT
