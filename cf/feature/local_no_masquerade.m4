divert(-1)
# local mail keeps the full name of this host
_on_(`local_no_masquerade')
