divert(-1)
# clients whose name and address do not fit are refused
_on_(`require_rdns')
