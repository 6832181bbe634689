divert(-1)
# no port 587 without a DAEMON_OPTIONS line of its own
_on_(`no_default_msa')
