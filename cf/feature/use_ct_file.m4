divert(-1)
# users that may name another sender are in a file: confCT_FILE
_on_(`use_ct_file')
