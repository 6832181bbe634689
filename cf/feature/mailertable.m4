divert(-1)
# `FEATURE(`mailertable', [map])': mailer and next hop by domain
_on_(`mailertable')
_map_(`mailertable', _ARG_, `mailertable', `mailer')
