divert(-1)
# `FEATURE(`uucpdomain', [map])': names of UUCP hosts become names of the Internet
_on_(`uucpdomain')
_map_(`uudomain', _ARG_, `uudomain', `uucpdomain')
