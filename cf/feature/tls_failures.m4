divert(-1)
# old name
_error_(`FEATURE(tls_failures) has been replaced by confTLS_FALLBACK_TO_CLEAR')
define(`confTLS_FALLBACK_TO_CLEAR', `true')
