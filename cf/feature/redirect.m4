divert(-1)
# user@host.REDIRECT, from an alias, tells the sender the new address
_on_(`redirect')
