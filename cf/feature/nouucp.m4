divert(-1)
# `FEATURE(`nouucp', `reject' | `nospecial')': host!user is an ordinary user
_on_(`nouucp')
ifelse(substr(_ARG_, 0, 1), `r', `define(`_UUCP_REJECT_')', substr(_ARG_, 0, 1), `n', `',
	_ARG_, `', `_error_(`FEATURE(nouucp) needs an argument: reject or nospecial')',
	`_error_(`FEATURE(nouucp): unknown argument '_ARG_`; reject or nospecial')undefine(`_F_nouucp_')')
