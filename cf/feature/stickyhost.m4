divert(-1)
# user@ourhost is not the same as user: MAIL_HUB takes it
_on_(`stickyhost')
