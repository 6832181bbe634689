divert(-1)
# `FEATURE(`compat_check')': Compat: in the access map refuses a sender for a recipient
_on_(`compat_check')
_needs_(`compat_check', `access_db')
