divert(-1)
# ultrix4
define(`confEBINDIR', `/usr/lib')
