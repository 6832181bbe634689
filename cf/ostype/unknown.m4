divert(-1)
# unknown
_error_(`OSTYPE(unknown): name the system that this host runs; see the folder ostype')
