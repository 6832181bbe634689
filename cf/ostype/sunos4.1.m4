divert(-1)
# sunos4.1
define(`confEBINDIR', `/usr/lib')
