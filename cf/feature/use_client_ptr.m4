divert(-1)
# check_relay gets the name of the client even when its address does not confirm it
_on_(`use_client_ptr')
