divert(-1)
# `FEATURE(`genericstable', [map])': senders get other addresses on their way out
_on_(`genericstable')
_map_(`generics', _ARG_, `genericstable', `generics')
