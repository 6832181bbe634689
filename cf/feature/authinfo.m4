divert(-1)
# `FEATURE(`authinfo', [map])': user and password for other servers from a map of their own
_on_(`authinfo')
_map_(`authinfo', _ARG_, `authinfo', `authinfo')
