divert(-1)
# sunos3.5
define(`confEBINDIR', `/usr/lib')
