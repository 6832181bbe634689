divert(-1)
# `FEATURE(`queuegroup', [default])': qgrp: in the access map chooses the queue group
_on_(`queuegroup')
_needs_(`queuegroup', `access_db')
define(`_QUEUEGROUP_', _ARG_)
