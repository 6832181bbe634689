divert(-1)
# Tells m4/cf.m4 that features, mailers and so on stand below cf/. It is not installed: there they stand beside m4/.
define(`_LIB_', _CF_DIR_`cf/')
