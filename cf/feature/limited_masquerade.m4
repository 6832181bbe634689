divert(-1)
# only MASQUERADE_DOMAIN is masqueraded, not every name of this host
_on_(`limited_masquerade')
