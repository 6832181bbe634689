divert(-1)
# senders whose domain no name server knows are taken
_on_(`accept_unresolvable_domains')
