divert(-1)
# `FEATURE(`delay_checks', [friend | hater], [n])': sender and client are checked when the recipient is known
_on_(`delay_checks')
ifelse(substr(_ARG_, 0, 1), `f', `define(`_SPAM_FRIEND_')_needs_(`delay_checks', `access_db')',
	substr(_ARG_, 0, 1), `h', `define(`_SPAM_HATER_')_needs_(`delay_checks', `access_db')',
	_ARG_, `', `', `_error_(`FEATURE(delay_checks): unknown argument '_ARG_`; friend or hater')')
ifelse(_ARG2_, `', `', `define(`_DELAY_STRICT_')')
