divert(-1)
# `FEATURE(`domainmap', domain, map)': recipients of one domain get other addresses
_on_(`domainmap')
ifelse(_ARG2_, `', `_error_(`FEATURE(domainmap) needs a domain and a map')')
PUSHDIVERT(_D_CLASS_)dnl
C{MappedDomain}_ARG_
POPDIVERT
PUSHDIVERT(_D_CONFIG_)dnl
# _FROM_(`FEATURE', `domainmap'): _ARG_
Kdomain_`'translit(_ARG_, `.', `_') _ARG2_ -T<TEMP>
ifdef(`_DOMAINMAP_THERE_', `', `define(`_DOMAINMAP_THERE_')Kdomainmap_regex regex -a.:NOTDONE: -s1,2 -d_ (.*)[-\.]([^-\.]*)$
')dnl
POPDIVERT
PUSHDIVERT(_D_DMAP_)dnl
R$+ <@ _ARG_ . >	$: <> $1 <@ _ARG_ . >
R<> $+ + $* <@ _ARG_ . >	$: < + $2 > $1 <@ _ARG_ . >
R< $* > $+ <@ _ARG_ . >	$: < $(domain_`'translit(_ARG_, `.', `_') $2 $: NOTFOUND $) > < $1 > $2 <@ _ARG_ . >
POPDIVERT
