divert(-1)
# `FEATURE(`prefixmod', prefix, flags)': a prefix of a local name sets flags
_on_(`prefixmod')
ifelse(_ARG_, `', `_error_(`FEATURE(prefixmod) needs a prefix and flags')', _ARG2_, `', `_error_(`FEATURE(prefixmod) needs flags, too')')
define(`_NEEDS_MACRO_')
PUSHDIVERT(_D_PARSE0_)dnl
# _FROM_(`FEATURE', `prefixmod')
R`'_ARG_ $+		$: $(macro {rcpt_flags} $@ _ARG2_ $) $1
POPDIVERT
