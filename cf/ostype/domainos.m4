divert(-1)
# domainos
ifdef(`QUEUE_DIR', `', `define(`QUEUE_DIR', `/usr/spool/mqueue')')
define(`confEBINDIR', `/usr/lib')
