divert(-1)
# `FEATURE(`nopercenthack', `reject' | `nospecial')': user%host@ours is an ordinary user
_on_(`nopercenthack')
ifelse(substr(_ARG_, 0, 1), `r', `define(`_PERCENT_REJECT_')', substr(_ARG_, 0, 1), `n', `',
	_ARG_, `', `_error_(`FEATURE(nopercenthack) needs an argument: reject or nospecial')',
	`_error_(`FEATURE(nopercenthack): unknown argument '_ARG_`; reject or nospecial')undefine(`_F_nopercenthack_')')
