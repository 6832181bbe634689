divert(-1)
# the local mailer gets user+detail as it stands
_on_(`preserve_local_plus_detail')
