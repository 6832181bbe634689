divert(-1)
# dynix3.2
ifdef(`QUEUE_DIR', `', `define(`QUEUE_DIR', `/usr/spool/mqueue')')
define(`confEBINDIR', `/usr/lib')
