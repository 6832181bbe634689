divert(-1)
# names of this host are in a file: confCW_FILE
_on_(`use_cw_file')
