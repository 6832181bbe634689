divert(-1)
# everybody may relay
_on_(`promiscuous_relay')
_warn_(`FEATURE(promiscuous_relay) makes this host an open relay; never use it on a host that the Internet can reach')
