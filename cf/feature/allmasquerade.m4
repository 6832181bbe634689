divert(-1)
# recipients in headers are masqueraded, too
_on_(`allmasquerade')
ifdef(`_MAILER_local_', `_error_(`FEATURE(allmasquerade) must stand before MAILER(local)')')
ifdef(`_MAILER_uucp_', `_error_(`FEATURE(allmasquerade) must stand before MAILER(uucp)')')
