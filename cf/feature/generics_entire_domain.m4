divert(-1)
# subdomains of GENERICS_DOMAIN count, too
_on_(`generics_entire_domain')
