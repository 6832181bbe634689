divert(-1)
# senders without a domain are taken from everybody
_on_(`accept_unqualified_senders')
