divert(-1)
# `FEATURE(`virtusertable', [map])': recipients of our domains get other addresses
_on_(`virtusertable')
_map_(`virtuser', _ARG_, `virtusertable', `virtuser')
