divert(-1)
# `FEATURE(`always_add_domain', [domain])': local names get a domain on local mail, too
_on_(`always_add_domain')
ifdef(`_MAILER_local_', `_error_(`FEATURE(always_add_domain) must stand before MAILER(local)')')
define(`_ALWAYS_ADD_DOMAIN_', ifelse(_ARG_, `', ``*LOCAL*'', `_ARG_'))
