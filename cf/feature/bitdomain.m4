divert(-1)
# `FEATURE(`bitdomain', [map])': names of BITNET hosts become names of the Internet
_on_(`bitdomain')
_map_(`bitdomain', _ARG_, `bitdomain', `bitdomain')
