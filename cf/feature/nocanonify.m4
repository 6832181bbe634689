divert(-1)
# `FEATURE(`nocanonify', [canonify_hosts])': host names are not looked up
_on_(`nocanonify')
ifelse(_ARG_, `', `', _ARG_, `canonify_hosts', `define(`_CANONIFY_HOSTS_')', `_error_(`FEATURE(nocanonify): unknown argument '_ARG_)')
