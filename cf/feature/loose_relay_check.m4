divert(-1)
# user%other@ours is judged by ours alone
_on_(`loose_relay_check')
