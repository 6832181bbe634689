divert(-1)
# .domain in the access map means its subdomains
_on_(`lookupdotdomain')
_needs_(`lookupdotdomain', `access_db')
ifdef(`_F_relay_hosts_only_', `_warn_(`FEATURE(lookupdotdomain) does not go well with FEATURE(relay_hosts_only)')')
