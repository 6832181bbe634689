divert(-1)
# `FEATURE(`domaintable', [map])': old names of domains become new ones
_on_(`domaintable')
_map_(`domaintable', _ARG_, `domaintable', `domain')
