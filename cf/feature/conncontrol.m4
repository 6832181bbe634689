divert(-1)
# `FEATURE(`conncontrol', [nodelay], [terminate])': ClientConn: in the access map limits connections of a client
_on_(`conncontrol')
_needs_(`conncontrol', `access_db')
ifelse(_ARG_, `', `', _ARG_, `nodelay', `define(`_CONN_NODELAY_')ifdef(`_F_delay_checks_', `', `_error_(`FEATURE(conncontrol, nodelay) requires FEATURE(delay_checks) before it')')', `_error_(`FEATURE(conncontrol): unknown argument '_ARG_`; nodelay')')
ifelse(_ARG2_, `', `', _ARG2_, `terminate', `define(`_CONN_REPLY_', `421')', `_error_(`FEATURE(conncontrol): unknown argument '_ARG2_`; terminate')')
