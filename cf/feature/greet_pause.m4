divert(-1)
# `FEATURE(`greet_pause', [milliseconds])': clients that talk before they are greeted are refused
_on_(`greet_pause')
ifelse(_ARG_, `', `_needs_(`greet_pause', `access_db')')
define(`_GREET_PAUSE_', _ARG_)
