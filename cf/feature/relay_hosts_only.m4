divert(-1)
# relay domains are hosts, subdomains do not count
_on_(`relay_hosts_only')
