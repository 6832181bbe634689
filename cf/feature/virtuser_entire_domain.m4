divert(-1)
# subdomains of VIRTUSER_DOMAIN count, too
_on_(`virtuser_entire_domain')
