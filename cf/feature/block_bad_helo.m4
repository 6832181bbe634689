divert(-1)
# `FEATURE(`block_bad_helo')': clients that take our name, or no real one, are refused
_on_(`block_bad_helo')
PUSHDIVERT(_D_CLASS_)dnl
C{w}[127.0.0.1] [IPv6:0:0:0:0:0:0:0:1] [IPv6:::1]
C{R}127.0.0.1 IPv6:0:0:0:0:0:0:0:1 IPv6:::1
POPDIVERT
