divert(-1)
# LUSER_RELAY keeps the host of the recipient
_on_(`preserve_luser_host')
define(`_NEEDS_MACRO_')
ifdef(`LUSER_RELAY', `', `_error_(`LUSER_RELAY must be defined before FEATURE(preserve_luser_host)')')
