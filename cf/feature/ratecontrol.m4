divert(-1)
# `FEATURE(`ratecontrol', [nodelay], [terminate])': ClientRate: in the access map limits connections of a client per time
_on_(`ratecontrol')
_needs_(`ratecontrol', `access_db')
ifelse(_ARG_, `', `', _ARG_, `nodelay', `define(`_RATE_NODELAY_')ifdef(`_F_delay_checks_', `', `_error_(`FEATURE(ratecontrol, nodelay) requires FEATURE(delay_checks) before it')')', `_error_(`FEATURE(ratecontrol): unknown argument '_ARG_`; nodelay')')
ifelse(_ARG2_, `', `', _ARG2_, `terminate', `define(`_RATE_REPLY_', `421')', `_error_(`FEATURE(ratecontrol): unknown argument '_ARG2_`; terminate')')
