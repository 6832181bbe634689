divert(-1)
# subdomains of MASQUERADE_DOMAIN are masqueraded, too
_on_(`masquerade_entire_domain')
