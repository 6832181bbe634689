divert(-1)
# the access map says who may get mail
_on_(`blocklist_recipients')
_needs_(`blocklist_recipients', `access_db')
